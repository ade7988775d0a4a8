"""Graphs that ONNX Runtime has optimised, kept for this machine so that a pack opens sooner."""

from __future__ import annotations

import hashlib
import os
import platform
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from firstread.files.whole import whole

WORTH_KEEPING_BYTES = 1_000_000
"""Smaller networks open as quickly without: 11 ms of 700 KB, measured in docs/decisions/0008."""
KEPT_AT_MOST = 16
"""Graphs; the one that was not used for longest goes first."""

_OFF = "off"
_DIGEST_BYTES = 32
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path | None:
    """Where graphs are kept: FIRSTREAD_CACHE, else the user's cache folder; None where nowhere.

    FIRSTREAD_CACHE=off keeps none. Where the system knows no owner of a file none is kept either:
    a graph that somebody else could have written is never opened.
    """
    named = os.environ.get("FIRSTREAD_CACHE", "")
    if named.lower() == _OFF or not hasattr(os, "geteuid"):
        return None
    try:
        if named:
            return Path(named).expanduser() / "graphs"
        shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
        home = shared if shared.is_absolute() else Path.home() / ".cache"
    except RuntimeError:  # a service without a home
        return None
    return home / "firstread" / "graphs"


def graph_key(pack_sha256: str, *, runtime: str, options: Iterable[str]) -> str:
    """The name under which a pack's graph is kept on this processor, in hexadecimal.

    What is fastest on one processor may not run on another, and a graph that one version of ONNX
    Runtime wrote is for that version: all of it stands in the key.
    """
    parts = (pack_sha256, runtime, _processor(), *options)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def kept_graph(folder: Path, key: str) -> bytes | None:
    """The graph kept under `key`, or None where there is none that can be trusted.

    Trusted is a plain file of this user, in a folder of this user, that nobody else may write to,
    and that is byte for byte what was kept.
    """
    try:
        if not _is_ours(os.lstat(folder), kind=stat.S_ISDIR):
            return None
        # No link is followed, and what was looked at is what is read.
        handle = os.open(folder / key, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with open(handle, "rb", buffering=0) as file:  # noqa: PTH123  the open handle, not a path
            found = os.fstat(handle)
            if not _is_ours(found, kind=stat.S_ISREG):
                return None
            graph = file.read(max(0, found.st_size - _DIGEST_BYTES))
            if hashlib.sha256(graph).digest() != file.read(_DIGEST_BYTES):
                return None
            os.utime(handle)  # the last one used is the last to go
    except OSError:
        return None
    return graph


def keep_graph(folder: Path, key: str, written: Path) -> None:
    """Keep the graph that lies in the file `written`; where it cannot be kept nothing happens."""
    with suppress(OSError):
        graph = written.read_bytes()
        with whole(folder / key, private=True) as file:
            file.write(graph)
            file.write(hashlib.sha256(graph).digest())
        _drop_oldest(folder)


def make_folder(folder: Path) -> bool:
    """Make the folder for this user alone; False where it cannot be, or is not, of that kind."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _is_ours(os.lstat(folder), kind=stat.S_ISDIR) and os.access(folder, os.W_OK)
    except OSError:
        return False


def _is_ours(found: os.stat_result, *, kind: Callable[[int], bool]) -> bool:
    writable = bool(found.st_mode & _WRITABLE_BY_OTHERS)
    return kind(found.st_mode) and found.st_uid == os.geteuid() and not writable


def _drop_oldest(folder: Path) -> None:
    kept = [each for each in folder.iterdir() if not each.name.startswith(".")]
    kept.sort(key=lambda each: each.stat().st_mtime, reverse=True)
    for old in kept[KEPT_AT_MOST:]:
        old.unlink(missing_ok=True)


@cache
def _processor() -> str:
    """What the processor is and can do, as far as the system says."""
    telling = ("model name", "flags", "Features", "CPU implementer", "CPU part", "CPU variant")
    with suppress(OSError, UnicodeDecodeError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        said = sorted({line for line in lines if line.startswith(telling)})
        return "\n".join([platform.machine(), *said])
    return f"{platform.machine()}\n{platform.processor()}"
