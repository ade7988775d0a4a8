"""When a file that somebody copies into the inbox is there whole."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

TABLE_QUIET_S = 2.0
"""A table that was cut off at the end of a line looks whole, so it must lie still for longer."""


class Ripe(Enum):
    """Whether a file can be taken."""

    NOT_YET = "not yet"
    QUIET = "quiet"
    """It lies still; whoever can open it wholly may take it."""
    OVERDUE = "overdue"
    """It has lain still so long that nobody writes it any more, whole or not."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What changes while a file is being written."""

    inode: int
    size_bytes: int
    changed_ns: int
    regular: bool

    @classmethod
    def of(cls, path: Path) -> Signature:
        seen = os.lstat(path)
        return cls(
            inode=seen.st_ino,
            size_bytes=seen.st_size,
            changed_ns=seen.st_mtime_ns,
            regular=stat.S_ISREG(seen.st_mode),
        )

    def with_other(self, other: Signature) -> Signature:
        """Of two files that belong together: it changes when either does."""
        return Signature(
            inode=hash((self.inode, other.inode)),
            size_bytes=self.size_bytes + other.size_bytes,
            changed_ns=max(self.changed_ns, other.changed_ns),
            regular=self.regular and other.regular,
        )


@dataclass(frozen=True, kw_only=True)
class _Seen:
    signature: Signature
    since_s: float
    tried: bool = False


class Settling:
    """Remembers how long each file has been unchanged.

    Time is this process's own, never the file's: a share's clock may be years off.
    """

    def __init__(
        self, *, settle_s: float, patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settle_s = settle_s
        self.patience_s = max(patience_s, settle_s)
        self._clock = clock
        self._seen: dict[Path, _Seen] = {}

    def look(self, key: Path, signature: Signature, *, table: bool) -> Ripe:
        """Note what the file looks like now, and say whether it may be taken."""
        now = self._clock()
        seen = self._seen.get(key)
        if seen is None or seen.signature != signature:
            seen = self._seen[key] = _Seen(signature=signature, since_s=now)
        quiet_s = now - seen.since_s
        if quiet_s >= self.patience_s:
            return Ripe.OVERDUE
        needed_s = (
            min(max(self.settle_s, TABLE_QUIET_S), self.patience_s) if table else self.settle_s
        )
        return Ripe.QUIET if quiet_s >= needed_s and not seen.tried else Ripe.NOT_YET

    def was_not_whole(self, key: Path) -> None:
        """It could not be opened; there is no sense in trying again before it changes."""
        if key in self._seen:
            self._seen[key] = replace(self._seen[key], tried=True)

    def forget(self, key: Path) -> None:
        self._seen.pop(key, None)

    def keep_only(self, keys: Collection[Path]) -> None:
        """Forget files that vanished."""
        for key in set(self._seen) - set(keys):
            del self._seen[key]

    def __len__(self) -> int:
        return len(self._seen)
