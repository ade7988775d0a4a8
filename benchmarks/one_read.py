"""One read beside the bare limit: decode, prepare and run, and nothing else.

python benchmarks/one_read.py [--rounds 60] [--pack NAME] [--picture FILE] [--precision int8]

What makes a read trustworthy (quality, calibration, finding set, familiarity, the sample's hash)
should cost next to nothing. The whole read and the bare one take turns, and the ratio is taken pair
by pair: first alone, then with as many threads as cores, each second for itself.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from firstread import phantom
from firstread.imaging.quality import measure
from firstread.packs import find_pack, in_precision, network_file, open_manifest
from firstread.runtime import open_reader
from firstread.runtime.prepare import pixels_of
from firstread.runtime.session import Session

Read = Callable[[bytes], object]


def ms(read: Read, data: bytes) -> float:
    began = time.perf_counter()
    read(data)
    return (time.perf_counter() - began) * 1000


def reads_a_second(read: Read, data: bytes, *, threads: int, seconds: float) -> float:
    counts = [0] * threads
    until = time.perf_counter() + seconds

    def work(mine: int) -> None:
        while time.perf_counter() < until:
            read(data)
            counts[mine] += 1

    began = time.perf_counter()
    working = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for each in working:
        each.start()
    for each in working:
        each.join()
    return sum(counts) / (time.perf_counter() - began)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=60)
    words.add_argument("--threads", type=int, default=2)
    words.add_argument("--pack", nargs="+", default=["marrow-cell", "blood-cell"])
    words.add_argument("--picture", type=Path, help="else a phantom of the pack's check")
    words.add_argument("--precision", choices=["float", "int8"], default="float")
    asked = words.parse_args()
    for name in asked.pack:
        folder = find_pack(name)
        manifest = in_precision(open_manifest(folder), asked.precision)
        assert manifest.input is not None
        picture = asked.picture
        data = picture.read_bytes() if picture else phantom.make(manifest.check, seed=1).png
        reader = open_reader(folder, precision=asked.precision)
        network = network_file(manifest, asked.precision)
        session = Session(folder / network, kind="image")
        given = manifest.input
        pixels = pixels_of(data, given)

        def bare(data: bytes, *, session=session, given=given) -> object:
            return session.run(pixels_of(data, given)[np.newaxis])

        def alone(_: bytes, *, session=session, pixels=pixels) -> object:
            return session.run(pixels[np.newaxis])

        reader.read(data), bare(data)
        steps: dict[str, Read] = {
            "read": reader.read,
            "limit": bare,
            "network": alone,
            "prepare": partial(pixels_of, given=given),
            "quality": lambda _, pixels=pixels: measure(pixels),
        }
        rounds = [{step: ms(run, data) for step, run in steps.items()} for _ in range(asked.rounds)]
        took = {step: statistics.median(each[step] for each in rounds) for step in steps}
        ratio = statistics.median(each["limit"] / each["read"] for each in rounds)
        told = "   ".join(f"{step} {value:.2f}" for step, value in took.items())
        print(f"{name:12} ms: {told}   {ratio:.3f} of the limit")
        seconds = max(0.2, asked.rounds / 100)
        pairs = [
            tuple(
                reads_a_second(read, data, threads=asked.threads, seconds=seconds)
                for read in (reader.read, bare)
            )
            for _ in range(7)
        ]
        whole, most = (statistics.median(each) for each in zip(*pairs, strict=True))
        share = statistics.median(a / b for a, b in pairs)
        print(
            f"{'':12} {asked.threads} threads: {whole:.0f} reads a second   limit {most:.0f}   "
            f"{share:.3f} of the limit"
        )


if __name__ == "__main__":
    main()
