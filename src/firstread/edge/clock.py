"""When things happened, on a machine whose clock may not be set: a Raspberry Pi keeps no time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firstread.edge.entries import Entry
from firstread.edge.spool import Spool

OLDEST = timedelta(days=89)
"""A clinic takes 90; a sample may be on its way for a while."""
CHANGED_S = 2.0
"""A smaller correction is not worth a write to the card."""


def boot_id() -> str:
    """What names this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def since_boot_s() -> float:
    """Seconds since the machine started, sleep included; no clock that is set moves it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(kw_only=True)
class BootClock:
    """Counts from the boot, and learns from the clinic when that was.

    Each boot's beginning is kept in the spool; what came in during a boot is dated by it, however
    wrong the clock was when it came.
    """

    spool: Spool
    boot: str = field(default_factory=boot_id)
    since_boot_s: Callable[[], float] = since_boot_s
    own_s: Callable[[], float] = time.time
    """This machine's own clock, in seconds since 1970."""
    _told: bool = False
    """Whether the clinic said the time in this boot."""

    def now(self) -> datetime:
        """The clinic's time as far as it is known, else this machine's."""
        began = self.spool.boots().get(self.boot) if self._told else None
        seconds = self.own_s() if began is None else began + self.since_boot_s()
        return datetime.fromtimestamp(seconds, tz=UTC)

    def note_own(self) -> None:
        """Date this boot by this machine's own clock, until the clinic says better."""
        if not self._told:
            self._note(self.own_s() - self.since_boot_s())

    def note_clinic(self, now: datetime) -> None:
        """Date this boot by what the clinic's clock says now."""
        self._told = True
        self._note(now.timestamp() - self.since_boot_s())

    def received_at(self, entry: Entry) -> datetime | None:
        """When the sample came in; None where no clinic would believe it."""
        began = self.spool.boots().get(entry.boot)
        if began is None:
            return None
        now = self.now()
        at = datetime.fromtimestamp(max(0.0, began + entry.boot_s), tz=UTC)
        return min(at, now) if now - at <= OLDEST else None

    def _note(self, began_at: float) -> None:
        known = self.spool.boots().get(self.boot)
        if known is None or abs(known - began_at) > CHANGED_S:
            self.spool.note_boot(self.boot, began_at=began_at)
