"""Starts a Ray of its own with two cores, and the application on the port that it is told."""

import os
import signal

import ray
from app import app
from ray import serve

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["PORT"])})
serve.run(app)
signal.sigwait([signal.SIGTERM, signal.SIGINT])
ray.shutdown()
