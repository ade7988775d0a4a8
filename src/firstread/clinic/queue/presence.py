"""Who works here: each process says every few seconds that it is there, and what it cannot read."""

from __future__ import annotations

import os
import socket
import time
import uuid
from datetime import datetime, timedelta

from django.db.models import Q

from firstread.clinic.models import WorkerRow, clock
from firstread.clinic.queue import cannot_read

EVERY_S = 5.0
"""How often each says that it is there."""
BELIEVED_FOR = timedelta(seconds=30)
"""Who has been silent for longer is taken for dead."""
FORGOTTEN_AFTER = timedelta(days=1)
CLOCK_MAY_DIFFER_S = 5.0


def new_name() -> str:
    """What a process is called among all others."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def say(name: str, *, reads: bool) -> None:
    """Say that this process is there."""
    before_s = time.time()
    now = clock.now()
    here_s = (before_s + time.time()) / 2
    said = {
        "seen_at": now,
        "ahead_s": here_s - now.timestamp(),
        "reads": reads,
        "cannot_read": cannot_read.reasons(),
    }
    if not WorkerRow.objects.filter(name=name).update(**said):
        WorkerRow.objects.create(name=name, started_at=now, **said)
    gone = Q(seen_at__lt=now - FORGOTTEN_AFTER) | Q(seen_at__gt=now + FORGOTTEN_AFTER)
    WorkerRow.objects.filter(gone).delete()


def leave(name: str) -> None:
    """This process ends."""
    WorkerRow.objects.filter(name=name).delete()


def present() -> list[WorkerRow]:
    """Those that said so not long ago."""
    return [row for row in WorkerRow.objects.all() if is_present(row, at=clock.now())]


def is_present(row: WorkerRow, *, at: datetime) -> bool:
    return abs(at - row.seen_at) <= BELIEVED_FOR


def clock_says(row: WorkerRow) -> str:
    """How far its machine's clock is from the database's."""
    way = "ahead of" if row.ahead_s > 0 else "behind"
    return f"its clock is {abs(row.ahead_s):.1f} s {way} the database's"


def clock_is_off(row: WorkerRow) -> bool:
    """Whether that should be mended: logs cannot be compared, certificates are judged wrongly."""
    return abs(row.ahead_s) > CLOCK_MAY_DIFFER_S


def nobody_reads() -> dict[str, str]:
    """The checks that none of those who read can read at the moment, with the first one's reason.

    Holds `cannot_read.ANYTHING` where they can read nothing. Empty where nobody is there to tell.
    """
    readers = [row.cannot_read for row in present() if row.reads]
    if not readers:
        return {}
    first, *others = readers
    return {
        check: why
        for check, why in first.items()
        if all(check in each or cannot_read.ANYTHING in each for each in others)
    }
