"""One pack read by several servers: those that answer take turns, the others are left alone."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from firstread.connect.inference.breaker import LONGEST_PAUSE_S, Breaker
from firstread.domain.errors import FirstreadError, NobodyReads, PackRefused, Unreachable
from firstread.packs import Manifest
from firstread.runtime import Outcome, PackReader

CHECKED_AGAIN_S = 600.0
"""A server's golden answers are asked for again after this time: it may have been given another
model without ever being away."""
TIMEOUTS = 2
"""After so many time-outs one sample tries no further server, and waits."""


@dataclass(kw_only=True, eq=False)
class Place:
    """One server that may read."""

    name: str
    """Its host and port, for people."""
    open: Callable[[], PackReader]
    """Opens the pack over it and checks its golden answers; raises Unreachable, PackRefused."""
    breaker: Breaker = field(default_factory=Breaker)
    reader: PackReader | None = None
    """None until it was opened, and after it failed."""
    checked_at_s: float = 0.0
    why_not: str = ""
    """What was wrong when it was last tried; empty where it reads."""
    opening: threading.Lock = field(default_factory=threading.Lock)


class Failover:
    """Reads as a PackReader does, over the first of `places` that answers. Threads may share it.

    Places that read take turns. One that fails is tried again by itself, beside the reads, after a
    pause. While none answers `read` raises NobodyReads, and after `patience_s` of that reads with
    what `here` opens, if it is given.
    """

    def __init__(
        self,
        *,
        manifest: Manifest,
        places: Sequence[Place],
        timeout_s: float,
        patience_s: float,
        here: Callable[[], PackReader] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.manifest = manifest
        self.places = tuple(places)
        self._tries_for_s = TIMEOUTS * timeout_s
        self._patience_s = patience_s
        self._here = here
        self._clock = clock
        self._turns = itertools.count()
        self._down_since_s: float | None = None
        self._failed_at_s = 0.0

    def read(self, data: bytes) -> Outcome:
        """Read one sample; `where` of the outcome says where, and which servers failed before.

        Raises what PackReader.read raises, and NobodyReads.
        """
        began_s = self._clock()
        failed: list[str] = []
        for place in self._in_turn():
            outcome = self._read_at(place, data, failed=failed)
            if outcome is not None:
                self._open_beside()
                return outcome
            if self._clock() - began_s > self._tries_for_s:
                break
        return self._read_here(data)

    def look(self) -> list[tuple[str, str]]:
        """Each server by name, with what is wrong with it; those that do not read are tried."""
        for place in self.places:
            if place.reader is None:
                self._open(place)
        return [(place.name, place.why_not) for place in self.places]

    def _in_turn(self) -> list[Place]:
        """The places that read, from the one whose turn it is; then those that may be tried."""
        reading = [each for each in self.places if each.reader and each.breaker.closed]
        turn = next(self._turns) % len(reading) if reading else 0
        others = [each for each in self.places if each not in reading]
        return reading[turn:] + reading[:turn] + ([] if self._reads_here() else others)

    def _read_at(self, place: Place, data: bytes, *, failed: list[str]) -> Outcome | None:
        """What the place reads, or None where it may not be asked or does not answer."""
        if place.reader is None and not self._open(place):
            if place.why_not:
                failed.append(place.why_not)
            return None
        reader = place.reader
        if reader is None:  # another thread found this moment that it fails
            return None
        try:
            outcome = reader.read(data)
        except (Unreachable, PackRefused) as error:
            self._failed(place, _said(error, place=place))
            failed.append(place.why_not)
            return None
        self._succeeded(place)
        return replace(outcome, where=_where(f"at {place.name}", failed=failed))

    def _open(self, place: Place) -> bool:
        """Open the place unless it has to be left alone; whether it reads now."""
        with place.opening:
            return self._open_alone(place)

    def _open_alone(self, place: Place) -> bool:
        if place.reader is not None and not self._is_due(place):
            return True  # another thread opened it meanwhile
        if not place.breaker.closed and not place.breaker.may_try():
            return False
        try:
            reader = place.open()
        except FirstreadError as error:
            self._failed(place, _said(error, place=place), at_once=True)
            return False
        place.reader, place.checked_at_s = reader, self._clock()
        self._succeeded(place)
        return True

    def _is_due(self, place: Place) -> bool:
        """Whether its golden answers should be asked for."""
        if place.reader is None:
            return place.breaker.closed or place.breaker.left_s == 0
        return self._clock() - place.checked_at_s > CHECKED_AGAIN_S

    def _open_beside(self) -> None:
        """Open what is due in threads of their own; no sample waits for it."""
        for place in self.places:
            if self._is_due(place) and place.opening.acquire(blocking=False):
                threading.Thread(target=self._open_acquired, args=(place,), daemon=True).start()

    def _open_acquired(self, place: Place) -> None:
        try:
            self._open_alone(place)
        finally:
            place.opening.release()

    def _succeeded(self, place: Place) -> None:
        place.why_not = ""
        place.breaker.succeeded()
        self._down_since_s = None

    def _failed(self, place: Place, why_not: str, *, at_once: bool = False) -> None:
        place.why_not, self._failed_at_s = why_not, self._clock()
        place.breaker.failed(at_once=at_once)
        if not place.breaker.closed:
            place.reader = None  # it may come back with another model: open it anew

    def _reads_here(self) -> bool:
        """Whether none answered for so long that nothing waits for them any more."""
        now_s, since_s = self._clock(), self._down_since_s
        if self._here is None or since_s is None or now_s - since_s < self._patience_s:
            return False
        return now_s - self._failed_at_s < 2 * LONGEST_PAUSE_S  # or else nobody knows

    def _read_here(self, data: bytes) -> Outcome:
        if self._down_since_s is None:
            self._down_since_s = self._clock()
        why = "; ".join(place.why_not for place in self.places if place.why_not)
        if self._here is None or not self._reads_here():
            raise NobodyReads(f"{why}.", again_in_s=self._again_in_s())
        try:
            reader = self._here()
        except PackRefused as error:
            raise NobodyReads(f"{why}. And here: {error}", again_in_s=LONGEST_PAUSE_S) from None
        self._open_beside()
        return replace(reader.read(data), where=f"on this machine, because {why}")

    def _again_in_s(self) -> float:
        """When a server may be tried again, or patience ends."""
        left_s = min(place.breaker.left_s for place in self.places)
        if self._here is not None and self._down_since_s is not None:
            left_s = min(left_s, self._down_since_s + self._patience_s - self._clock())
        return max(left_s, 0.1)


def _where(name: str, *, failed: Sequence[str]) -> str:
    return f"{name}, after {' and '.join(failed)}" if failed else name


def _said(error: FirstreadError, *, place: Place) -> str:
    """What went wrong there, as part of a sentence."""
    if isinstance(error, PackRefused):
        return f"{place.name} does not answer as the pack does: it has another model"
    return str(error).rstrip(".")
