"""A backup becomes a site again: every byte against its hash, and nothing mailed a second time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from firstread import packs
from firstread.clinic import audit, seals
from firstread.clinic.keeping import copies, databases
from firstread.clinic.keeping.copies import Copy
from firstread.clinic.keeping.erase_patient import forget_again
from firstread.clinic.models import (
    Ails,
    BackupRow,
    Case,
    Chore,
    IdempotencyKey,
    Outage,
    Outgoing,
    OutgoingState,
    Resting,
    Restored,
    StoreFault,
    WorkerRow,
    clock,
)
from firstread.clinic.outbox.notify import Occasion, tell
from firstread.clinic.queue import once
from firstread.clinic.storage import store
from firstread.domain.case import CaseState
from firstread.domain.errors import BackupRefused

MAY_HAVE_LEFT = (
    "Restored from a backup: it may have left after that was made. Send it again only where it "
    "did not arrive."
)


@dataclass(kw_only=True)
class Brought:
    """What was brought back."""

    samples: int = 0
    packs: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """The hashes whose bytes the copy lacks."""
    held: int = 0
    """Messages that may have left after the copy was made."""
    erased: int = 0
    """Cases that were erased after the copy was made, and are so again."""


def refuse(copy: Copy, *, again: bool, any_key: bool) -> None:
    """Raises BackupRefused where the copy may not become this site.

    `again`: an earlier try was broken off here. `any_key`: the key that it was made with is lost.
    """
    vendor = copy.told["database"]
    if connection.vendor != vendor:
        raise BackupRefused(
            f"The backup holds a database of {vendor}, and database.url names one of "
            f"{connection.vendor}. Name an empty database of {vendor}."
        )
    loader = MigrationLoader(None)
    known = {f"{app}.{name}" for app, name in loader.disk_migrations}
    taken = [each for each in copy.told["migrations"] if each not in known]
    if newer := [each for each in taken if each.partition(".")[0] in loader.migrated_apps]:
        raise BackupRefused(
            f"The backup was made by a newer Firstread ({copy.told['firstread']}, with the step "
            f"{newer[-1]}). Install that version or a later one, and restore it with that."
        )
    if not any_key and seals.named(copy.told["secret_key"]["name"]) is None:
        raise BackupRefused(
            "The key that seals the audit trail of the site is neither here nor in the backup. "
            f"Put secret-key, and audit-key where there was one, into {settings.FIRSTREAD.home}, "
            "or set FIRSTREAD_SECRET_KEY. Where nobody has it: --without-key."
        )
    if again:
        return
    if not databases.is_empty():
        raise BackupRefused(
            "There is a database here already, and nothing is restored over it. Name an empty home "
            "folder (FIRSTREAD_HOME) and an empty database (database.url)."
        )
    if any(settings.FIRSTREAD.samples.glob("??/*")):
        raise BackupRefused(
            f"There are samples in {settings.FIRSTREAD.samples} already, and nothing is restored "
            "over them. Name an empty home folder (FIRSTREAD_HOME)."
        )


def bring_back(copy: Copy, *, after_each: Callable[[], None]) -> Brought:
    """The samples, the packs, and last the database, each there whole or not at all."""
    file = copy.folder / databases.FILES[connection.vendor]
    if copies.damaged(copy):
        raise BackupRefused(f"{copies.damaged(copy)[0]} Take another copy.")
    brought = Brought()
    for sha256, _ in copy.samples():
        if _take(sha256, copy=copy):
            brought.samples += 1
        else:
            brought.lost.append(sha256)
        after_each()
    root = store.root()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    (root / store.MARK).touch()
    brought.packs = _bring_packs(copy)
    os.sync()
    if databases.is_empty():  # else an earlier try came so far
        databases.restore(file)
    return brought


def quieten(copy: Copy, brought: Brought) -> None:
    """See that the site does nothing that the one before has done already.

    What waited to leave may have left since, and so may the word of a case that waited for its
    first read: both are kept as given up, for a person to look at. Nobody holds anything.
    """
    made_at = datetime.fromisoformat(copy.told["made_at"])
    with transaction.atomic():
        if Restored.objects.filter(name=copy.name, made_at=made_at, released_at=None).exists():
            return
        for case in Case.objects.filter(state=CaseState.RECEIVED).order_by("received_at", "pk"):
            tell(Occasion.READ, case=case)
        free = {"claimed_until": None, "held_by": None, "retry_at": None}
        brought.held = Outgoing.objects.filter(state=OutgoingState.WAITING).update(
            state=OutgoingState.GIVEN_UP, last_error=MAY_HAVE_LEFT, **free
        )
        Case.objects.exclude(claimed_until=None, retry_at=None).update(**free)
        Chore.objects.update(claimed_until=None, held_by=None)
        IdempotencyKey.objects.filter(status=once.UNANSWERED).delete()
        for rows in (WorkerRow, Resting, Outage, Session):
            rows.objects.all().delete()
        BackupRow.objects.filter(name=copy.name, ended_at=None).update(ended_at=made_at)
        now = clock.now()
        Restored.objects.create(name=copy.name, made_at=made_at, restored_at=now)
        for sha256 in brought.lost:
            place = {"ails": Ails.MISSING, "found_at": now}
            StoreFault.objects.update_or_create(pk=store.place_of(sha256), defaults=place)
        detail = {"backup": copy.name, "made_at": copy.told["made_at"]}
        audit.append("restored", by=None, detail=detail)
    brought.erased = forget_again(copy.root, made_at=copy.told["made_at"])


def _take(sha256: str, *, copy: Copy) -> bool:
    """Bring the bytes into the store, unless they are there; False where the copy has others."""
    place = store.root() / store.place_of(sha256)
    if copies.sha256_of(place) == sha256:
        return True
    source = copies.place_of(copy.root, sha256)
    try:
        return copies.copied(lambda: copies.pieces_of(source), to=place, sha256=sha256)
    except FileNotFoundError:
        return False


def _bring_packs(copy: Copy) -> list[str]:
    """Put the packs that are on no shelf here back on the own one; returns their names."""
    brought = []
    shelf = packs.own_shelf()
    for pack in copy.told["packs"]:
        if not pack["folder"]:
            continue
        source = copy.root / pack["folder"]
        name = source.name.rpartition("-")[0]
        if (shelf / name).exists() or not copies.is_pack(source, sha256=pack["sha256"]):
            continue
        half = shelf / f".{name}.restoring"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(source, half)
        half.rename(shelf / name)
        brought.append(name)
    return brought
