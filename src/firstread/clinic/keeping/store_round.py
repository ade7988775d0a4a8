"""A round through the store: every file held against its hash, place by place, at a set speed.

Places come in the order of their names, so that the one checked longest ago is always the next. The
round goes on where it was left, whoever does it next.
"""

from __future__ import annotations

import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Q

from firstread.clinic import audit
from firstread.clinic.keeping import chores
from firstread.clinic.models import (
    Ails,
    Case,
    Chore,
    RefusedSample,
    Sample,
    StoreFault,
    clock,
)
from firstread.clinic.storage import store
from firstread.domain.errors import StoreTrouble

BACKGROUND = "store"
COMMAND = "store verify"
GRACE_S = 3600.0
"""Bytes that no row speaks of are orphans once they are older: a sample lies there before its row
does."""
MOST_AT_ONCE = 200
RENEWED_EVERY_S = 20.0
STEP_S = 2.0
"""After so long what was found is written."""
FOLDERS = [f"{number:02x}" for number in range(256)]
ENDS = "ff/~"
"""Behind every place."""
DAMAGE = "sample_ails"
"""The action of the audit row of an open case whose sample is found missing or damaged."""


class Stopped(Exception):
    """The process ends, or another has the round by now."""


@dataclass(kw_only=True)
class Pace:
    """Keeps the round to a speed, and its claim alive while it reads."""

    chore: Chore
    mb_a_second: float
    """0 is as fast as the disk."""
    stop: threading.Event
    _renewed_s: float = field(default_factory=time.monotonic)

    def __call__(self, size_bytes: int) -> None:
        """After so many bytes were read; raises Stopped."""
        pause_s = size_bytes / (self.mb_a_second * 1e6) if self.mb_a_second else 0.0
        if self.stop.is_set() or (pause_s and self.stop.wait(pause_s)):
            raise Stopped
        if time.monotonic() - self._renewed_s > RENEWED_EVERY_S:
            self._renewed_s = time.monotonic()
            if not chores.renew(self.chore):
                raise Stopped


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong in one place of the store."""

    place: str
    ails: Ails
    size_bytes: int = 0

    @property
    def sha256(self) -> str:
        return Path(self.place).name


@dataclass(kw_only=True)
class _Stretch:
    """What one step found, from one place to another."""

    after: str
    until: str
    """Places before it in their order are through; ENDS where all are."""
    files: int = 0
    size_bytes: int = 0
    faults: list[Fault] = field(default_factory=list)


def background(stop: threading.Event, *, every: timedelta, mb_a_second: float) -> bool:
    """Do a piece of the round that is always under way; returns whether there was any to do."""
    if not chores.is_due(BACKGROUND, every=every) or store.why_away():
        return False
    chore = chores.claim(BACKGROUND)
    if chore is None:
        return False
    try:
        return step(chore, pace=Pace(chore=chore, mb_a_second=mb_a_second, stop=stop))
    finally:
        chores.let_go(chore)


def step(chore: Chore, *, pace: Pace) -> bool:
    """Check the next files, and write what was found; False where the round was stopped.

    Raises StoreTrouble where the store as a whole is out of reach, and then writes nothing.
    """
    if chore.began_at is None or (chore.ended_at and chore.ended_at >= chore.began_at):
        chore.began_at, chore.position, chore.counts = clock.now(), "", {}
    try:
        found = _check(chore.position, pace=pace)
    except Stopped:
        return False
    # What seems to be missing is not, where the whole store went away meanwhile.
    if found.faults and (away := store.why_away()):
        raise StoreTrouble(away)
    counts = {"files": found.files, "size_bytes": found.size_bytes}
    chore.counts = {name: chore.counts.get(name, 0) + more for name, more in counts.items()}
    chore.position = found.until
    if found.until == ENDS:
        chore.ended_at = clock.now()
    with transaction.atomic():
        if not chores.keep(chore):
            return False
        _write(found)
    return True


def under_way(chore: Chore) -> bool:
    """Whether the round has more to do."""
    return chore.ended_at is None or chore.began_at is None or chore.ended_at < chore.began_at


def expected_files() -> int:
    """How many files the rows speak of."""
    refused = RefusedSample.objects.order_by().values("sha256").distinct()
    return Sample.objects.filter(bytes_erased_at=None).count() + refused.count()


def is_spoken_of(sha256: str) -> bool:
    """Whether a row says that these bytes lie in the store."""
    here = Q(sha256=sha256)
    return (
        Sample.objects.filter(here, bytes_erased_at=None).exists()
        or RefusedSample.objects.filter(here).exists()
    )


def _check(position: str, *, pace: Pace) -> _Stretch:
    """Look at the places that follow, for a moment."""
    found = _Stretch(after=position, until=position)
    if not position:
        found.faults += _strays(store.root())
    began_s = time.monotonic()
    for place, known, there in _places(after=position):
        if found.files >= MOST_AT_ONCE or time.monotonic() - began_s > STEP_S:
            return found
        name = Path(place).name
        if known:
            ails = _what_ails(name, pace=pace)
            found.files += 1
            found.size_bytes += there.size_bytes if there else 0
            if ails is not None and is_spoken_of(name):  # it may have been erased meanwhile
                found.faults.append(Fault(place=place, ails=ails))
        elif there is not None and _is_old(there.changed_s) and not is_spoken_of(name):
            fault = Fault(place=place, ails=Ails.ORPHANED, size_bytes=there.size_bytes)
            found.faults.append(fault)
        found.until = place
    found.until = ENDS
    return found


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file that lies in the store."""

    size_bytes: int
    changed_s: float


def _places(*, after: str) -> Iterator[tuple[str, bool, _File | None]]:
    """The places that follow, in their order: whether rows speak of it, and what lies there."""
    for folder in FOLDERS:
        if folder < after[:2]:
            continue
        there = dict(_listed(store.root() / folder))
        known = _known(folder)
        for name in sorted({*there, *known}):
            place = f"{folder}/{name}"
            if place > after:
                yield place, name in known, there.get(name)


def _what_ails(sha256: str, *, pace: Callable[[int], None]) -> Ails | None:
    try:
        ails = store.what_ails(sha256, paced=pace)
    except StoreTrouble:
        return Ails.UNREADABLE
    return Ails(ails) if ails else None


def _known(folder: str) -> set[str]:
    """The hashes of that folder which rows speak of."""
    after = FOLDERS[FOLDERS.index(folder) + 1] if folder != FOLDERS[-1] else "g"
    here = Q(sha256__gte=folder, sha256__lt=after)
    kept = Sample.objects.filter(here, bytes_erased_at=None)
    refused = RefusedSample.objects.filter(here)
    return {*kept.values_list("sha256", flat=True), *refused.values_list("sha256", flat=True)}


def _listed(folder: Path) -> Iterator[tuple[str, _File]]:
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError:
        if away := store.why_away():
            raise StoreTrouble(away) from None
        return  # its files are told to be out of reach, one by one
    for entry in entries:
        try:
            said = entry.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(said.st_mode):
            yield entry.name, _File(size_bytes=said.st_size, changed_s=said.st_mtime)


def _strays(folder: Path) -> Iterator[Fault]:
    """What lies in the store's own folder and belongs to nothing."""
    for name, file in _listed(folder):
        if name != store.MARK and _is_old(file.changed_s):
            yield Fault(place=name, ails=Ails.ORPHANED, size_bytes=file.size_bytes)


def _is_old(changed_s: float) -> bool:
    return _now_there_s() - changed_s > GRACE_S


def _now_there_s() -> float:
    """The time by the clock that dates the store's files, which may be another machine's."""
    probe = store.root() / f".{uuid.uuid4().hex}"
    try:
        probe.touch(exist_ok=False)
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink()
    except OSError:  # full or read-only: then ours has to do
        return time.time()


def _write(found: _Stretch) -> None:
    """What was found takes the place of what was found there before."""
    stands = {row.place: row for row in StoreFault.objects.all()}
    now = {fault.place: fault for fault in found.faults}
    StoreFault.objects.filter(
        pk__in=[each for each in stands if each not in now and _is_through(each, found)]
    ).delete()
    at = clock.now()
    for place, fault in now.items():
        known = stands.get(place)
        if known is not None and known.ails == fault.ails:
            continue
        StoreFault.objects.update_or_create(
            pk=place,
            defaults={"ails": fault.ails, "size_bytes": fault.size_bytes, "found_at": at},
        )
        if fault.ails is not Ails.ORPHANED:
            _tell(fault)


def _is_through(place: str, found: _Stretch) -> bool:
    if "/" not in place:  # beside the folders: these come first
        return not found.after
    return found.after < place <= found.until


def _tell(fault: Fault) -> None:
    """Say it on each case that still waits for somebody's word."""
    cases = Case.objects.filter(samples__sample=fault.sha256, decided_at=None).distinct()
    for case in cases.order_by("received_at", "pk"):
        audit.append(DAMAGE, by=None, case=case, detail={"ails": str(fault.ails)})
