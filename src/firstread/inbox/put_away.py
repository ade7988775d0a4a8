"""Files that were put away, and that somebody may still be writing to."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from firstread.inbox.places import Inbox
from firstread.inbox.settle import Signature

MOST = 512
"""Of so many, the last ones, it is looked whether they change."""

log = logging.getLogger(__name__)


class PutAway:
    """A writer that stalled and goes on writes into its file wherever that was moved to.

    The file then goes back to where it lay, and is taken anew once it is whole: received twice,
    what was taken of it already counts once.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._seen: dict[Path, tuple[Path, Signature]] = {}

    def add(self, place: Path | None, *, inside: Path, was: Signature | None) -> None:
        """Remember a file that lay `inside` the inbox and was read when it looked as it `was`."""
        if place is None or was is None:
            return
        self._seen[place] = (inside, was)
        while len(self._seen) > MOST:
            del self._seen[next(iter(self._seen))]

    def bring_back(self) -> None:
        """Put back what was written on since."""
        for place, (inside, was) in list(self._seen.items()):
            try:
                now = Signature.of(place)
                if now == was:
                    continue
                del self._seen[place]
                if now.inode == was.inode and self._inbox.bring_back(place, inside):
                    log.warning("a file was written on after it had been taken; it is taken anew")
            except OSError:
                with suppress(KeyError):
                    del self._seen[place]
