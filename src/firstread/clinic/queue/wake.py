"""Bells that wake the worker's threads at once; other processes find the rows by polling."""

from __future__ import annotations

import threading


class Bell:
    """Rung when rows are there to be worked on; a ring before the wait is not lost."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings = 0

    def ring(self) -> None:
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def heard(self) -> int:
        """How often it rang so far: take it before looking for rows, give it to `wait`."""
        return self._rings

    def wait(self, heard: int, *, at_most_s: float) -> None:
        """Return when it rang after `heard`, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._rings != heard, timeout=at_most_s)


reading = Bell()
"""A case waits for its first read."""
outbox = Bell()
"""A message waits to leave."""
