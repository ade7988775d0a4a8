"""One read on this machine, beside the same read whose network runs in another `firstread serve`.

python benchmarks/reading_elsewhere.py [--rounds 60]

The network's input travels as a binary tensor, as JSON for servers that know nothing else, or, for
comparison, the encoded sample travels and is decoded there. All four are timed in turn.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import time

import httpx

from firstread import phantom
from firstread.connect.inference.addresses import address_of
from firstread.connect.inference.open_inference import OpenInference
from firstread.packs import find_pack
from firstread.runtime import open_reader

PACK = "blood-cell"
OUTPUTS = ("read", "logits", "evidence")


def ms(work) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def over(url: str, *, binary: bool):
    def network(manifest):
        opened = OpenInference(address_of(url), manifest=manifest, timeout_s=30)
        opened._binary = opened._binary and binary
        return opened

    return open_reader(find_pack(PACK), network=network)


def whole(url: str, sample: bytes):
    """The sample as it is, decoded and read there."""
    size = {"binary_data_size": len(sample) + 4}
    given = {"name": "sample", "shape": [1], "datatype": "BYTES", "parameters": size}
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in OUTPUTS]
    head = json.dumps({"inputs": [given], "outputs": outputs}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    client = httpx.Client(base_url=url, headers=headers)
    body = head + len(sample).to_bytes(4, "little") + sample
    return lambda: client.post(f"/v2/models/{PACK}/infer", content=body).raise_for_status()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["serve", "--pack", PACK, "--port", str(port), "--threads", "1"]
    server = subprocess.Popen(
        [sys.executable, "-m", "firstread", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        assert server.stdout is not None
        server.stdout.readline()  # it says when it listens
        measure(url, rounds=rounds)
    finally:
        server.kill()


def measure(url: str, *, rounds: int) -> None:
    here = open_reader(find_pack(PACK))
    sample = phantom.make(here.manifest.check, seed=3).png
    binary, as_json = over(url, binary=True), over(url, binary=False)
    ways = {
        "here": lambda: here.read(sample),
        "binary tensor": lambda: binary.read(sample),
        "JSON tensor": lambda: as_json.read(sample),
        "encoded sample": whole(url, sample),
    }
    taken = {way: [] for way in ways}
    for _ in range(rounds):
        for way, work in ways.items():
            taken[way].append(ms(work))
    base = taken["here"]
    for way, each in taken.items():
        ratio = statistics.median(a / b for a, b in zip(each, base, strict=True))
        print(f"{way:15} {statistics.median(each):6.1f} ms   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
