"""What the machine did: how fast its cores were, and how much memory and time a server took."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Self

MARK = "FIRSTREAD_BENCHMARK"
"""An environment variable that every process of a server inherits; by it they are found."""

_WORK = bytes(range(256)) * 4096
_REPEATS = 24
_TICKS = os.sysconf("SC_CLK_TCK")


def calibrate(*, cores: int = 2) -> float:
    """How often a second all cores together finish a fixed piece of work: the machine's speed."""
    with ThreadPoolExecutor(cores) as pool:
        began = time.perf_counter()
        list(pool.map(_fixed_work, range(cores)))
        return cores / (time.perf_counter() - began)


def _fixed_work(number: int) -> int:
    """Hashing and packing, both without the interpreter's lock; about a third of a second."""
    for _ in range(_REPEATS):
        hashlib.sha256(_WORK).digest()
        zlib.compress(_WORK[: 1 << 18], 6)
    return number


def processes(mark: str) -> list[int]:
    """The processes that were started under this mark, wherever they hang in the tree."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a server's processes took while they were under load."""

    pss_mb: float
    """The most that all processes held together; pages that several share count once."""
    rss_mb: float
    """The same, with shared pages counted in each process."""
    cpu_share: float
    """Of all cores' time."""
    processes: int


class Watch:
    """Samples the memory of a server's processes once a second until it is left."""

    def __init__(self, mark: str, *, every_s: float = 1.0) -> None:
        self._mark = mark
        self._every_s = every_s
        self._most = (0.0, 0.0, 0)
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        self._cpu_s = sum(_cpu_s(pid) for pid in processes(self._mark))
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *why: object) -> None:
        self._over.set()
        self._thread.join()
        seconds = time.perf_counter() - self._began
        used = sum(_cpu_s(pid) for pid in processes(self._mark)) - self._cpu_s
        self.cpu_share = used / seconds / (os.cpu_count() or 1)

    def usage(self) -> Usage:
        pss, rss, count = self._most
        return Usage(pss_mb=pss / 1e6, rss_mb=rss / 1e6, cpu_share=self.cpu_share, processes=count)

    def _sample(self) -> None:
        while True:
            sizes = [size for pid in processes(self._mark) for size in _sizes(pid)]
            pss, rss = sum(size[0] for size in sizes), sum(size[1] for size in sizes)
            self._most = max(self._most, (pss, rss, len(sizes)))
            if self._over.wait(self._every_s):
                return


def _sizes(pid: int) -> Iterator[tuple[int, int]]:
    """PSS and RSS in bytes; nothing where the process has ended."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        lines = dict(line.split(":", 1) for line in text.splitlines()[1:])
        yield _bytes(lines["Pss"]), _bytes(lines["Rss"])


def _bytes(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) * 1024


def _cpu_s(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def about_this_machine() -> dict[str, str | int | float]:
    """What a reader of the figures must know of where they were taken."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "onnxruntime": metadata.version("onnxruntime"),
        "load": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d"),
    }
