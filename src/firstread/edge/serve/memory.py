"""What this process takes of the machine's memory, and how it gives some of it back."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_M_ARENA_MAX = -8
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# What a usual read needs stays in the process, or the machine would hand it out, zeroed, for each
# read anew; a picture of many megapixels is given back as soon as it has been read.
_TRIM_BYTES = 8 << 20
_MMAP_BYTES = 4 << 20
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident_mb() -> float:
    """The memory of this process that is in use now, in MB of 2**20 bytes; 0 where unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * _PAGE_BYTES / 2**20


def share_arenas() -> None:
    """Let all threads allocate from one place.

    glibc keeps one for each thread, and none of them gives back what another could use: two
    reading threads then hold the picture and the network's working memory twice.
    """
    mallopt = _glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)


def give_back() -> None:
    """Give memory that is free inside this process back to the machine."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)  # musl has neither
