"""An hour's worth of good, broken and hostile requests in a few minutes, against a real reader.

    python benchmarks/soak.py [--minutes 5] [--clients 4] [--seed 1]

Every request has its expected answers; any other is a fault, and so is a refusal without its
sentence, a process that ended, and memory that grows once everything has been seen. Prints how
often each kind was answered how, and the memory over time. Exit code 1 where there was a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image

from firstread import phantom

MAX_BODY_MB = 8
GROWTH_MB = 32
"""What a heap may still spread between a fifth of the time and afterwards."""
_PICTURES, _ROWS = "blood-cell", "breast-cytology"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of request: its body, where it goes, and how it may be answered."""

    name: str
    body: Callable[[random.Random], bytes]
    expected: tuple[int, ...]
    weight: float = 1.0
    path: str = f"/read/{_PICTURES}"
    content_type: str = "application/octet-stream"


@dataclass(kw_only=True)
class Seen:
    """What all clients have seen together."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, status: int, fault: str = "") -> None:
        with self.lock:
            self.answers[kind, status] += 1
            if fault:
                self.faults.append(f"{kind}: {fault}")


def kinds() -> list[Kind]:
    """Everything that is sent; half of it good."""
    pictures = [phantom.make("blood-smear", seed=seed).png for seed in range(8)]
    photographs = [_as(picture, "JPEG") for picture in pictures]
    row = phantom.make("breast-cytology", seed=1).measurements
    bomb, note = _bomb(), _note_bomb(pictures[0])
    form = _form(pictures[0], b"%PDF-1.7", photographs[1])
    rows, boundary = f"/read/{_ROWS}", "multipart/form-data; boundary=soak"
    nonsense = json.dumps(row).replace(":", ': 1e400, "x":', 1).encode()
    return [
        Kind(name="png", body=lambda r: r.choice(pictures), expected=(200,), weight=20),
        Kind(name="jpeg", body=lambda r: r.choice(photographs), expected=(200,), weight=20),
        Kind(name="evidence", body=lambda r: r.choice(pictures), expected=(200,), weight=3,
             path=f"/read/{_PICTURES}?evidence=png"),
        Kind(name="form", body=lambda _: form, expected=(200,), weight=4, content_type=boundary),
        Kind(name="row", body=lambda _: json.dumps(row).encode(), expected=(200,), weight=10,
             path=rows, content_type="application/json"),
        Kind(name="rows", body=lambda _: json.dumps([row, {}, row]).encode(), expected=(200,),
             path=rows, content_type="application/json"),
        Kind(name="empty", body=lambda _: b"", expected=(422,)),
        Kind(name="cut off", body=lambda r: _cut(r.choice(pictures), r), expected=(422,), weight=4),
        Kind(name="cut off jpeg", body=lambda r: _cut(r.choice(photographs), r), expected=(422,)),
        Kind(name="bytes changed", body=lambda r: _changed(r.choice(photographs), r),
             expected=(200, 422), weight=4),
        Kind(name="noise", body=lambda r: r.randbytes(20_000), expected=(422,), weight=2),
        Kind(name="pdf", body=lambda _: b"%PDF-1.7 ...", expected=(422,)),
        Kind(name="bomb", body=lambda _: bomb, expected=(422,), weight=2),
        Kind(name="note of 200 MB", body=lambda _: note, expected=(200, 422)),
        Kind(name="json for a picture", body=lambda _: b"{}", expected=(415,),
             content_type="application/json"),
        Kind(name="picture for a row", body=lambda _: pictures[0], expected=(415,), path=rows,
             content_type="image/png"),
        Kind(name="deep json", body=lambda _: b"[" * 200_000, expected=(422,), path=rows),
        Kind(name="wide json", body=lambda _: b"[" + b"{}," * 20_000 + b"{}]", expected=(413,),
             path=rows),
        Kind(name="number too large", body=lambda _: nonsense, expected=(422,), path=rows),
        Kind(name="broken form", body=lambda _: form[:-30], expected=(400,), content_type=boundary),
        Kind(name="form without boundary", body=lambda _: form, expected=(400,),
             content_type="multipart/form-data"),
        Kind(name="unknown pack", body=lambda _: pictures[0], expected=(404,), path="/read/none"),
        Kind(name="too large", body=lambda _: bytes((MAX_BODY_MB << 20) + 1), expected=(413,)),
    ]  # fmt: skip


def _as(png: bytes, form: str) -> bytes:
    out = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").save(out, format=form, quality=92)
    return out.getvalue()


def _cut(data: bytes, random_: random.Random) -> bytes:
    return data[: random_.randrange(2, len(data) * 9 // 10)]


def _changed(data: bytes, random_: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(20):
        changed[random_.randrange(len(changed))] = random_.randrange(256)
    return bytes(changed)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(bytes(1000))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + _chunk(b"IEND", b"")


def _note_bomb(png: bytes) -> bytes:
    squeezer = zlib.compressobj(9)
    note = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(200)) + squeezer.flush()
    return png[:33] + _chunk(b"zTXt", b"note\0\0" + note) + png[33:]


def _form(*files: bytes) -> bytes:
    head = 'Content-Disposition: form-data; name="file"; filename="sample"'
    parts = [f"--soak\r\n{head}\r\n\r\n".encode() + data + b"\r\n" for data in files]
    return b"".join(parts) + b"--soak--\r\n"


def ask(port: int, kind: Kind, random_: random.Random, seen: Seen) -> None:
    """Send one request of the kind, and hold the answer to what was expected."""
    plug = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(plug):
        plug.request("POST", kind.path, kind.body(random_), {"Content-Type": kind.content_type})
        answer = plug.getresponse()
        said = answer.read()
    fault = ""
    if answer.status not in kind.expected:
        fault = f"answered {answer.status}: {said[:200]!r}"
    elif answer.status >= 400 and not json.loads(said).get("detail", "").endswith("."):
        fault = f"refused without a sentence: {said[:200]!r}"
    seen.add(kind.name, answer.status, fault)


def upload_200_mb(port: int, _: random.Random, seen: Seen) -> None:
    """A body without a stated length that does not end."""

    def pieces() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(1 << 20)

    plug = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(plug):
        plug.request("POST", f"/read/{_PICTURES}", pieces(), encode_chunked=True)
        status = plug.getresponse().status
    seen.add("200 MB in chunks", status, "" if status == 413 else f"answered {status}")


def leave_early(port: int, random_: random.Random, seen: Seen) -> None:
    """A client that goes in the middle of its request."""
    head = b"POST /read/blood-cell HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as plug:
        plug.sendall((head + bytes(40_000))[: random_.randrange(1, 40_000)])
    seen.add("left early", 0)


def speak_no_http(port: int, random_: random.Random, seen: Seen) -> None:
    """Bytes that are no HTTP at all."""
    with socket.create_connection(("127.0.0.1", port)) as plug:
        plug.settimeout(120)
        plug.sendall(b"\x16\x03\x01" + random_.randbytes(60))
        said = plug.recv(4096)
    fault = "" if said.startswith(b"HTTP/1.1 400") else f"answered {said[:60]!r}"
    seen.add("no HTTP", 400, fault)


def client(port: int, *, until_s: float, seed: int, seen: Seen) -> None:
    random_ = random.Random(seed)
    all_kinds = kinds()
    odd = (leave_early, speak_no_http, upload_200_mb)
    weights = [kind.weight for kind in all_kinds]
    while time.monotonic() < until_s:
        try:
            if random_.random() < 0.03:
                random_.choices(odd, (10, 10, 1))[0](port, random_, seen)
            else:
                ask(port, random_.choices(all_kinds, weights)[0], random_, seen)
        except (OSError, http.client.HTTPException, ValueError) as error:
            seen.add("broken off", -1, f"{type(error).__name__}: {error}")


def resident_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in text.splitlines() if "VmRSS" in line) / 1024


def soak(*, minutes: float, clients: int, seed: int) -> tuple[Seen, list[float]]:
    """Run it; what was seen, and the memory at every fifth of the time and afterwards."""
    command = [sys.executable, "-m", "firstread", "serve", "--port", "0", "--log", "text"]
    command += ["--pack", _PICTURES, "--pack", _ROWS, "--max-body-mb", str(MAX_BODY_MB)]
    seen, memory_mb = Seen(), []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as reader:
        assert reader.stdout is not None
        port = int(reader.stdout.readline().split()[4].rsplit(":", 1)[1])
        for kind in kinds():  # everything once, so that what must be loaded is loaded
            ask(port, kind, random.Random(seed), seen)
        began = time.monotonic()
        until_s = began + minutes * 60
        threads = [
            threading.Thread(
                target=client, args=(port,), kwargs={"until_s": until_s, "seed": n, "seen": seen}
            )
            for n in range(seed, seed + clients)
        ]
        for each in threads:
            each.start()
        for fifth in range(1, 6):
            time.sleep(max(0.0, began + fifth * minutes * 12 - time.monotonic()))
            memory_mb.append(resident_mb(reader.pid))
        for each in threads:
            each.join()
        time.sleep(0.5)
        memory_mb.append(resident_mb(reader.pid))
        if reader.poll() is not None:
            seen.faults.append(f"the reader ended with {reader.returncode}")
        reader.terminate()
        code = reader.wait(timeout=60)
        if code:
            seen.faults.append(f"the reader ended with {code} after SIGTERM")
    if memory_mb[-1] - memory_mb[0] > GROWTH_MB:
        seen.faults.append(f"memory grew from {memory_mb[0]:.0f} to {memory_mb[-1]:.0f} MB")
    return seen, memory_mb


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--minutes", type=float, default=5)
    words.add_argument("--clients", type=int, default=4)
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    seen, memory_mb = soak(minutes=asked.minutes, clients=asked.clients, seed=asked.seed)
    for (kind, status), count in sorted(seen.answers.items()):
        print(f"{kind:24} {status:4} {count:8}")
    print(f"{sum(seen.answers.values())} requests in {asked.minutes:g} minutes")
    print(
        "memory at each fifth, and afterwards: " + ", ".join(f"{each:.0f} MB" for each in memory_mb)
    )
    for fault in seen.faults[:20]:
        print(f"FAULT {fault}")
    print(f"{len(seen.faults)} faults")
    sys.exit(1 if seen.faults else 0)


if __name__ == "__main__":
    main()
