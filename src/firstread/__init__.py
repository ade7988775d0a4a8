"""Firstread: a first read by a model within seconds, a final word by a specialist."""

import os

__version__ = "0.1.0"

# From 1.29 on ONNX Runtime reports networks and machines to its maker over the network, and keeps
# what it could not send in the user's cache folder. It looks at this variable once, when it is
# imported, so this stands where everything begins.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
