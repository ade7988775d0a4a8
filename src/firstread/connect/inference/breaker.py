"""The circuit breaker of one server: it keeps callers away from one that fails, and lets one try.

Looked at: pybreaker, purgatory and circuitbreaker wrap a call and count its errors, but each lets
every waiting caller through at once when its pause ends, and none spreads the pauses of many
processes; tenacity and httpx only try again. What is needed here is less than any of them.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

FAILURES = 2
"""So many in a row open it: one lost answer may be chance."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Breaker:
    """Closed while the server answers; open for a pause that doubles while it does not."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._pause_s = 0.0
        self._open_until_s: float | None = None
        self._trying = False

    @property
    def closed(self) -> bool:
        """Whether everybody may ask the server."""
        return self._open_until_s is None

    @property
    def left_s(self) -> float:
        """How long nobody may try."""
        until_s = self._open_until_s
        return 0.0 if until_s is None else max(0.0, until_s - self._clock())

    def may_try(self) -> bool:
        """Whether the pause is over and nobody tries yet; who is let through reports the end."""
        with self._lock:
            if self.closed or self._trying or self.left_s > 0:
                return False
            self._trying = True
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._pause_s = 0, 0.0
            self._open_until_s, self._trying = None, False

    def failed(self, *, at_once: bool = False) -> None:
        """Count a failure; `at_once` opens it whatever the count."""
        with self._lock:
            self._failures += 1
            was_trying, self._trying = self._trying, False
            if not self.closed and not was_trying:
                return  # a call that began before it opened says nothing new
            if at_once or was_trying or self._failures >= FAILURES:
                self._pause_s = min(max(2 * self._pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
                # Spread, so that many processes do not fall upon a server that comes back.
                spread_s = self._pause_s * random.uniform(0.75, 1.25)
                self._open_until_s = self._clock() + spread_s
