"""From the start of `firstread classify` to its answer, beside the bare start of what it stands on.

    python benchmarks/classify_start.py [--runs 15]

The two are run in turn, so that a noisy machine disturbs both alike; the ratio is taken pair by
pair.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from firstread import phantom

BARE = "import numpy, onnxruntime, PIL.Image, click"


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "cell.png"
        made = phantom.make("blood-smear", label="neutrophil", seed=1)
        assert made.data is not None
        sample.write_bytes(made.data)
        firstread = str(Path(sys.executable).with_name("firstread"))
        read = [firstread, "classify", str(sample), "--pack", "blood-cell", "--json"]
        bare = [sys.executable, "-c", BARE]
        seconds(read), seconds(bare)
        pairs = [(seconds(read), seconds(bare)) for _ in range(runs)]
    reads, bares = zip(*pairs, strict=True)
    ratios = [a / b for a, b in pairs]
    print(f"classify, start to answer   median {statistics.median(reads):.3f} s  of {runs}")
    print(f"bare imports                median {statistics.median(bares):.3f} s")
    print(f"ratio                       median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
