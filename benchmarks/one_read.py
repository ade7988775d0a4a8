"""One read on one core, beside the bare run of the same network on the same pixels.

python benchmarks/one_read.py [--rounds 60]

What makes a read trustworthy (quality, calibration, finding set, familiarity) should cost next to
nothing beside the network; the two are timed in turn, and the ratio is taken pair by pair.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from firstread import phantom
from firstread.imaging import decode
from firstread.packs import find_pack, open_manifest
from firstread.runtime import open_reader
from firstread.runtime.prepare import prepare
from firstread.runtime.session import Session


def ms(work, given) -> float:
    began = time.perf_counter()
    work(given)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    for name in ("marrow-cell", "blood-cell"):
        folder = find_pack(name)
        manifest = open_manifest(folder)
        assert manifest.input is not None
        data = phantom.make(manifest.check, seed=1).png
        pixels = prepare(decode(data), manifest.input)[np.newaxis]
        reader = open_reader(folder, threads=1)
        bare = Session(folder / "model.onnx", kind="image", threads=1)
        reader.read(data), bare.run(pixels)
        pairs = [(ms(reader.read, data), ms(bare.run, pixels)) for _ in range(rounds)]
        reads, runs = zip(*pairs, strict=True)
        ratio = statistics.median(a / b for a, b in pairs)
        print(
            f"{name:12} read {statistics.median(reads):5.1f} ms   "
            f"network alone {statistics.median(runs):5.1f} ms   ratio {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
