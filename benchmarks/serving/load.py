"""The clients: `wrk`, which posts one body over and over on keep-alive connections."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Load:
    """What the clients saw."""

    reads_per_s: float
    p50_ms: float
    p99_ms: float
    failed: int
    """Answers that were no 2xx, and connections that broke or timed out."""
    cpu_share: float
    """What the clients themselves took of one core."""


def press(url: str, *, body: Path, content_type: str, clients: int, seconds: float) -> Load:
    """Ask `url` as fast as `clients` connections can, one request at a time on each."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("This benchmark needs wrk. Install it: apt install wrk")
    command = [wrk, "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
    command += ["-s", str(Path(__file__).with_name("post.lua")), url]
    command += ["--", str(body), content_type]
    before, began = _children_s(), time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    share = (_children_s() - before) / (time.perf_counter() - began)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Load(
        reads_per_s=(told["requests"] - told["not_2xx"]) / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        failed=told["not_2xx"] + told["broken"],
        cpu_share=share,
    )


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
