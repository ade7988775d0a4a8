"""Memory for decoding is asked for beforehand: what would go beyond the budget is told to wait."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from firstread.domain.errors import ShortOfMemory

if sys.platform != "win32":
    import resource

_SHARE = 0.5
"""Of what this process may use: the rest is for networks, requests and the database."""
_UNKNOWN_BYTES = 2 << 30
_AGAIN_IN_S = 5.0
PATIENCE_S = 1.0
"""How long a server lets one decoding wait for others before it says 'later'."""
_CGROUP = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


class Budget:
    """So many bytes for all that is decoded in this process at a time. Threads share it."""

    def __init__(self, total_bytes: int, *, patience_s: float = 30.0) -> None:
        self.total_bytes = total_bytes
        self.patience_s = patience_s
        """How long one decoding waits for others; a server has less."""
        self._free = total_bytes
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, needed_bytes: int) -> Iterator[None]:
        """Have so many bytes while the block runs.

        Raises ShortOfMemory where they are more than there are at all, or others keep them for
        longer than `patience_s`; and where the block could not have what it was promised.
        """
        if needed_bytes > self.total_bytes:
            raise ShortOfMemory(
                f"To open this sample takes about {_mb(needed_bytes)} MB, and this process has "
                f"{_mb(self.total_bytes)} MB for that. Give it more memory, or send a smaller one.",
                again_in_s=_AGAIN_IN_S,
            )
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._free >= needed_bytes, timeout=self.patience_s
            ):
                raise ShortOfMemory(
                    "Other samples are being opened and leave too little memory for this one. "
                    f"Send it again in {_AGAIN_IN_S:g} seconds.",
                    again_in_s=_AGAIN_IN_S,
                )
            self._free -= needed_bytes
        try:
            yield
        except MemoryError:
            raise _refused_by_the_machine() from None
        finally:
            with self._changed:
                self._free += needed_bytes
                self._changed.notify_all()


def refuse_without_memory(needed_bytes: int) -> None:
    """Raises ShortOfMemory where the machine does not give so many bytes now.

    Asked after a decoder has failed: many of them say of memory that they did not get that the
    file is damaged.
    """
    try:
        np.empty(needed_bytes, dtype=np.uint8)
    except MemoryError:
        raise _refused_by_the_machine() from None


def _refused_by_the_machine() -> ShortOfMemory:
    return ShortOfMemory(
        "This machine is short of memory, and the sample could not be opened now. "
        f"Send it again in {_AGAIN_IN_S:g} seconds.",
        again_in_s=_AGAIN_IN_S,
    )


def _mb(count: int) -> int:
    return -(-count // 1_000_000)


def usable_bytes() -> int:
    """What this process may use at most, by its limits and the machine's size."""
    found = [_UNKNOWN_BYTES] if sys.platform == "win32" else _limits()
    return min(found, default=_UNKNOWN_BYTES)


def _limits() -> list[int]:
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(which)
        if soft != resource.RLIM_INFINITY:
            found.append(soft)
    for path in _CGROUP:
        try:
            found.append(int(path.read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return found


BUDGET = Budget(int(usable_bytes() * _SHARE))
"""Of this process."""
