"""The limit that no server can pass: decode, prepare and run in one process, nothing else.

    python benchmarks/serving/limit.py --model model.onnx --input '{...}' --picture FILE --threads 2

As many threads as cores share one session, as in the server; each reads the same bytes again and
again. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from pathlib import Path

import numpy as np

from firstread.packs import Input
from firstread.runtime.prepare import pixels_of
from firstread.runtime.session import Session


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--model", type=Path, required=True)
    words.add_argument("--input", type=json.loads, required=True)
    words.add_argument("--picture", type=Path, required=True)
    words.add_argument("--threads", type=int, default=2)
    words.add_argument("--seconds", type=float, default=5)
    words.add_argument("--warm-up-s", type=float, default=1)
    asked = words.parse_args()
    given = Input(**asked.input)
    data = asked.picture.read_bytes()
    session = Session(asked.model, kind="image")

    def read() -> np.ndarray:
        return session.run(pixels_of(data, given)[np.newaxis])["logits"][0]

    _all_threads(read, threads=asked.threads, seconds=asked.warm_up_s)
    began, cpu_s = time.perf_counter(), time.process_time()
    taken_ms = _all_threads(read, threads=asked.threads, seconds=asked.seconds)
    seconds = time.perf_counter() - began
    cpu_s = time.process_time() - cpu_s
    told = {
        "reads_per_s": len(taken_ms) / seconds,
        "p50_ms": statistics.median(taken_ms),
        "p99_ms": float(np.percentile(taken_ms, 99)),
        "cpu_share": cpu_s / seconds / (os.cpu_count() or 1),
        "logits": read().tolist(),
    }
    print(json.dumps(told))


def _all_threads(read, *, threads: int, seconds: float) -> list[float]:
    """How long each read took, in milliseconds, of all threads."""
    taken_ms: list[list[float]] = [[] for _ in range(threads)]
    until = time.perf_counter() + seconds

    def work(mine: list[float]) -> None:
        now = time.perf_counter()
        while now < until:
            read()
            after = time.perf_counter()
            mine.append((after - now) * 1000)
            now = after

    workers = [threading.Thread(target=work, args=[mine]) for mine in taken_ms]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [each for mine in taken_ms for each in mine]


if __name__ == "__main__":
    main()
