"""The condition of the clinic: each part that it needs, looked at beside the others, within a time.

A database or a disk that hangs holds up its own look alone, and no second one is begun beside it.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from django.conf import settings
from django.core.files.storage import storages
from django.db import DatabaseError, connection, connections

from firstread.clinic.checks import readers
from firstread.clinic.checks.checks import enabled_checks
from firstread.clinic.keeping import registry, store_mending
from firstread.clinic.models import Ails, AuditHead, Outgoing, OutgoingState, Resting, clock
from firstread.clinic.outbox.restored import why_held
from firstread.clinic.queue import presence
from firstread.clinic.storage import store
from firstread.domain.errors import FirstreadError

WITHIN_S = 3.0
"""So long everything may take together."""
HOLDS_FOR_S = 1.0
"""Who asks more often is told what was seen last."""
LEAST_FREE_BYTES = 200_000_000
"""With less than this nothing can be put in any more."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part as it was seen."""

    name: str
    works: bool
    says: str
    """For anybody: no path, no name, no address, no number."""
    detail: str = ""
    """For an operator."""

    @property
    def needed(self) -> bool:
        """Whether the clinic is of no use without it."""
        return self.name not in NOT_NEEDED


def condition(*, within_s: float = WITHIN_S) -> tuple[Part, ...]:
    """Each part, looked at now; one that does not answer in time is said not to."""
    end_s = time.monotonic() + within_s
    looks = [(name, _look(name, look)) for name, look in LOOKS.items()]
    return tuple(_result(name, look, end_s=end_s) for name, look in looks)


def is_ready(parts: tuple[Part, ...]) -> bool:
    """Whether samples can be put in, read and shown."""
    return all(part.works for part in parts if part.needed)


def _database() -> Part:
    AuditHead.objects.filter(pk=1).exists()  # reads the file, too, where the database is one
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            if cursor.fetchone() == ("on",):
                said = "The database takes nothing: it is read-only."
                return Part(name="database", works=False, says=said)
    return Part(name="database", works=True, says="The database answers.", detail=connection.vendor)


def _store() -> Part:
    root = storages["samples"].path("")
    away = store.why_away()
    if not away and os.path.isdir(root) and not os.access(root, os.W_OK):  # noqa: PTH112  as why_away
        away = f"The store {root} cannot be written to."
    if away:
        said = "The store of the samples is out of reach."
        return Part(name="store", works=False, says=said, detail=away)
    return Part(name="store", works=True, says="The store of the samples is there.")


def _disk() -> Part:
    free = free_bytes()
    detail = f"{free / 1e9:.1f} GB are free."
    if free < LEAST_FREE_BYTES:
        return Part(name="disk", works=False, says="The disk is full.", detail=detail)
    return Part(name="disk", works=True, says="The disk has room.", detail=detail)


def free_bytes() -> int:
    """What is free where least is: beside the home folder, or where the samples lie."""
    config = settings.FIRSTREAD
    places = [config.home, config.samples if config.samples.is_dir() else config.home]
    return min(shutil.disk_usage(place).free for place in places)


def _packs() -> Part:
    troubles = [(check.name, readers.trouble(check)) for check in enabled_checks()]
    bad = [f"{name}: {why}" for name, why in troubles if why]
    if bad:
        said = "A check cannot be read: its pack does not open."
        return Part(name="packs", works=False, says=said, detail=" ".join(bad))
    return Part(name="packs", works=True, says="The pack of every check opens.")


def _workers() -> Part:
    there = [row for row in presence.present() if row.reads]
    detail = f"{len(there)} are there."
    if not there:
        said = "No worker is there to read."
        return Part(name="workers", works=False, says=said, detail=detail)
    if none := presence.nobody_reads():
        said = "A check waits, for no worker can read it."
        return Part(name="workers", works=False, says=said, detail=" ".join(none.values()))
    return Part(name="workers", works=True, says="Workers are there to read.", detail=detail)


def _samples() -> Part:
    """What the rounds through the store found."""
    counts = store_mending.counts()
    lost = sum(counts.values()) - counts[Ails.ORPHANED]
    detail = ", ".join(f"{many} {ails.label.lower()}" for ails, many in counts.items())
    said = "Some samples are missing or damaged." if lost else "No sample is known to be damaged."
    return Part(name="samples", works=not lost, says=said, detail=detail)


def _backups() -> Part:
    detail, old = registry.said()
    said = "The last backup is old." if old else "No backup is overdue."
    return Part(name="backups", works=not old, says=said, detail=detail)


def _outbox() -> Part:
    if held := why_held():
        said = "Nothing leaves, for the clinic was restored from a backup."
        return Part(name="outbox", works=False, says=said, detail=held)
    waiting = Outgoing.objects.filter(state=OutgoingState.WAITING, attempts__gt=0).count()
    away = Resting.objects.filter(address="", until__gt=clock.now()).first()
    if away is None and not waiting:
        return Part(name="outbox", works=True, says="Messages leave.")
    said = "Some messages are tried again." if away is None else "Mail does not leave."
    detail = f"{waiting} are tried again. {away.last_error if away else ''}".strip()
    return Part(name="outbox", works=False, says=said, detail=detail)


LOOKS: dict[str, Callable[[], Part]] = {
    "database": _database,
    "store": _store,
    "disk": _disk,
    "packs": _packs,
    "workers": _workers,
    "outbox": _outbox,
    "samples": _samples,
    "backups": _backups,
}
"""How each part is looked at."""
NOT_NEEDED = frozenset({"outbox", "samples", "backups"})
"""Without these samples can be put in, read and shown all the same."""
_seen: dict[str, tuple[float, Future[Part]]] = {}
"""The last look at each part, and when it was begun."""
_looking = threading.Lock()


def _look(name: str, look: Callable[[], Part]) -> Future[Part]:
    """The look that is under way or was made just now; else a new one."""
    with _looking:
        began_s, last = _seen.get(name, (0.0, None))
        if last is not None and not last.done():
            return last
        if last is not None and time.monotonic() - began_s < HOLDS_FOR_S:
            return last
        made: Future[Part] = Future()
        _seen[name] = (time.monotonic(), made)
    # A daemon: one that hangs must not keep the process alive.
    threading.Thread(target=_run, args=(name, look, made), name=f"look-{name}", daemon=True).start()
    return made


def _run(name: str, look: Callable[[], Part], made: Future[Part]) -> None:
    part = _silent(name, "cannot be looked at")
    try:
        part = look()
    except (DatabaseError, OSError, FirstreadError) as error:
        part = _silent(name, "cannot be looked at", detail=type(error).__name__)
    finally:
        made.set_result(part)
        connections.close_all()


def _result(name: str, look: Future[Part], *, end_s: float) -> Part:
    try:
        return look.result(timeout=max(0.0, end_s - time.monotonic()))
    except TimeoutError:
        return _silent(name, "does not answer in time")


def _silent(name: str, says: str, *, detail: str = "") -> Part:
    said = f"The part '{name}' {says}."
    return Part(name=name, works=False, says=said, detail=detail)
