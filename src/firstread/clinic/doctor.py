"""What `firstread doctor` looks at: each part of the installation, with the remedy."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DatabaseError, connection
from django.db.models.functions import Coalesce

from firstread.clinic import audit
from firstread.clinic.checks import readers
from firstread.clinic.checks.checks import enabled_checks
from firstread.clinic.keeping import registry, store_mending
from firstread.clinic.models import (
    Ails,
    Case,
    Check,
    Outgoing,
    OutgoingState,
    Person,
    Role,
    WorkerRow,
    clock,
)
from firstread.clinic.outbox.restored import why_held
from firstread.clinic.outbox.write import settings_of
from firstread.clinic.queue import presence
from firstread.connect.channels import CHANNELS
from firstread.domain.errors import FirstreadError
from firstread.inbox.places import Inbox
from firstread.inbox.troubles import folder_troubles

LEAST_FREE_BYTES = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """One part that was looked at; it is in trouble where there is a remedy."""

    part: str
    says: str
    remedy: str = ""

    @property
    def trouble(self) -> bool:
        return bool(self.remedy)


def inspect(
    *,
    migrations_behind: Callable[[], int],
    migrations_unknown: Callable[[], Sequence[str]] = list,
) -> list[Inspected]:
    """Look at every part; a part that cannot be looked at is trouble, never an error."""
    reached = _database()
    found = [reached]
    if not reached.trouble:
        behind = _migrations(migrations_behind(), unknown=migrations_unknown())
        found.append(behind)
        if not behind.trouble:
            found += [
                *_packs(),
                _people(),
                _worker(),
                *_workers(),
                _outbox(),
                *_sealed(),
                _audit(),
                _samples(),
                _backups(),
            ]
    return [*found, _store(), _disk(), _keys(), *_channels(), _inbox(), _clock()]


def _database() -> Inspected:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Inspected(
            part="database",
            says=f"The database cannot be reached ({type(error).__name__}).",
            remedy="Start it, or correct database.url.",
        )
    return Inspected(part="database", says=f"The database answers ({connection.vendor}).")


def _migrations(behind: int, *, unknown: Sequence[str]) -> Inspected:
    if unknown:
        return Inspected(
            part="migrations",
            says=f"A newer Firstread has changed the database's form ({unknown[-1]}).",
            remedy="Start that version or a later one, or restore the backup made before.",
        )
    if behind:
        return Inspected(
            part="migrations",
            says=f"The database is {behind} steps behind this version.",
            remedy="Start 'firstread up' or 'firstread worker', which brings it up to date.",
        )
    return Inspected(part="migrations", says="The database has this version's form.")


def _packs() -> list[Inspected]:
    checks = enabled_checks()
    if not checks:
        return [
            Inspected(
                part="packs",
                says="No check is set up, because no pack is on the shelf.",
                remedy="Put packs on a shelf and name it in FIRSTREAD_PACKS.",
            )
        ]
    return [_pack(check) for check in checks]


def _pack(check: Check) -> Inspected:
    part = f"check {check.name}"
    if trouble := readers.trouble(check):
        return Inspected(
            part=part,
            says=trouble,
            remedy="Copy the pack again, or choose another for the check.",
        )
    servers = readers.look_at_servers(check)
    if missing := [why_not for _, why_not in servers if why_not]:
        return Inspected(
            part=part,
            says=f"{'; '.join(missing)}. {_instead(servers)}",
            remedy=f"Start the server, or correct checks.{check.name}.reader.",
        )
    where = " and ".join(name for name, _ in servers) or "here"
    at = f"at {where}" if servers else where
    return Inspected(part=part, says=f"The pack {check.pack} gives its golden answers {at}.")


def _instead(servers: Sequence[tuple[str, str]]) -> str:
    """What happens to the cases meanwhile."""
    if reads := [name for name, why_not in servers if not why_not]:
        return f"Meanwhile {' and '.join(reads)} reads."
    reading = settings.FIRSTREAD.reading
    if reading.fallback == "none":
        return "Until then its cases wait."
    return f"After {reading.patience_s:g} s its cases are read on this machine."


def _people() -> Inspected:
    active = Person.objects.filter(is_active=True)
    if not active.filter(role=Role.OPERATOR).exists():
        return Inspected(
            part="people",
            says="There is no operator, so nobody can add people.",
            remedy="Add one: firstread person NAME",
        )
    unread = [check.title for check in enabled_checks() if not check.readers_of.exists()]
    if unread:
        return Inspected(
            part="people",
            says=f"Nobody reads {', '.join(unread)}.",
            remedy="Name specialists for it on the people page.",
        )
    return Inspected(part="people", says=f"{active.count()} people can sign in.")


def _worker() -> Inspected:
    now = datetime.now(UTC)
    # One that waits for a server comes due again and again; its check's line tells of that.
    due_at = Coalesce("retry_at", "received_at")
    due = Case.objects.filter(state="received").annotate(due_at=due_at).order_by("due_at").first()
    if due is not None and (now - due.due_at).total_seconds() > 300:
        return Inspected(
            part="reading",
            says="A case has waited more than five minutes for its first read.",
            remedy="Start 'firstread up' or 'firstread worker'.",
        )
    return Inspected(part="reading", says="No case waits long for its first read.")


def _workers() -> list[Inspected]:
    rows = list(WorkerRow.objects.all())
    if not rows:
        return [Inspected(part="workers", says="No worker is there at the moment.")]
    now = clock.now()
    return [_at_work(row, there=presence.is_present(row, at=now)) for row in rows]


def _at_work(row: WorkerRow, *, there: bool) -> Inspected:
    machine, _, process = row.name.partition(":")
    part = f"worker {machine} {process.partition(':')[0]}"
    if not there:
        return Inspected(
            part=part,
            says=f"It said last at {row.seen_at:%Y-%m-%d %H:%M} UTC that it is there, and has not "
            "left.",
            remedy="It died, or cannot reach the database: look at its log, and start it again.",
        )
    said = f"It is there; {presence.clock_says(row)}."
    if row.cannot_read:
        cannot = [f"{name or 'Everything'}: {why}" for name, why in row.cannot_read.items()]
        return Inspected(
            part=part,
            says=f"{said} It cannot read: {' '.join(cannot)}",
            remedy="Mend that on its machine; until then it leaves these cases to others.",
        )
    if presence.clock_is_off(row):
        return Inspected(
            part=part,
            says=said,
            remedy="Set that machine's clock; timedatectl set-ntp true keeps it right.",
        )
    return Inspected(part=part, says=said)


def _outbox() -> Inspected:
    if held := why_held():
        return Inspected(
            part="outbox",
            says=held.partition(":")[0] + ".",
            remedy="Stop the site before, then: firstread outbox release",
        )
    given_up = Outgoing.objects.filter(state=OutgoingState.GIVEN_UP).count()
    failing = Outgoing.objects.filter(state=OutgoingState.WAITING, attempts__gt=0).count()
    if given_up or failing:
        return Inspected(
            part="outbox",
            says=f"{failing} messages are tried again, {given_up} were given up.",
            remedy="The outbox page says why; correct the addresses or settings, and send them "
            "again there.",
        )
    return Inspected(part="outbox", says="No message is stuck.")


def _audit() -> Inspected:
    try:
        verified = audit.verify()
    except FirstreadError as error:
        return Inspected(part="audit trail", says=str(error), remedy="Compare with a backup.")
    return Inspected(part="audit trail", says=f"The audit trail adds up ({verified.rows} rows).")


def _store() -> Inspected:
    store, name = storages["samples"], f"doctor-{uuid.uuid4().hex}"
    try:
        store.save(name, ContentFile(b"doctor"))
        with store.open(name) as file:
            whole = file.read() == b"doctor"
        store.delete(name)
    except OSError as error:
        return Inspected(
            part="store",
            says=f"Samples cannot be kept ({error.strerror}).",
            remedy="Give Firstread the right to write to its home folder (FIRSTREAD_HOME).",
        )
    if not whole:
        return Inspected(
            part="store",
            says="The store gives back other bytes than were put in.",
            remedy="Check the disk.",
        )
    return Inspected(part="store", says="Samples can be kept and come back whole.")


def _samples() -> Inspected:
    """What the last round through the store came to."""
    counts = store_mending.counts()
    said = [f"{counts[ails]} {ails.label.lower()}" for ails in Ails if counts[ails]]
    if not said:
        return Inspected(part="samples", says="No sample is known to be missing or damaged.")
    lost = sum(counts.values()) - counts[Ails.ORPHANED]
    return Inspected(
        part="samples",
        says=f"Of the files of the store {', '.join(said)}.",
        remedy="Bring them back: firstread store verify --heal-from BACKUP, or put them in again."
        if lost
        else "Look at them, and delete them: firstread store verify --delete-orphaned.",
    )


def _backups() -> Inspected:
    says, old = registry.said()
    return Inspected(
        part="backup", says=says, remedy="Make one: firstread backup FOLDER" if old else ""
    )


def _disk() -> Inspected:
    free = shutil.disk_usage(settings.FIRSTREAD.home).free
    says = f"{free / 1e9:.1f} GB are free."
    if free < LEAST_FREE_BYTES:
        return Inspected(part="disk", says=says, remedy="Make room on the disk.")
    return Inspected(part="disk", says=says)


def _sealed() -> list[Inspected]:
    try:
        audit.refuse_other_key()
    except FirstreadError as error:
        return [Inspected(part="secret key", says=str(error), remedy="Bring the key back.")]
    return []


def _keys() -> Inspected:
    keys = settings.FIRSTREAD.keys
    if settings.FIRSTREAD.demo:
        return Inspected(part="secret key", says="The demo uses its own key, on this machine only.")
    if keys.new:
        return Inspected(
            part="secret key",
            says=f"There is no secret key: neither {keys.sessions_file} nor FIRSTREAD_SECRET_KEY.",
            remedy="Bring it back from the backup, where the database holds anything; a new "
            "database is given one by 'firstread up'.",
        )
    files = [path for path in (keys.sessions_file, keys.audit_file) if path and path.exists()]
    if others := [path for path in files if path.stat().st_mode & 0o077]:
        return Inspected(
            part="secret key",
            says="Others on this machine can read the secret key.",
            remedy=" && ".join(f"chmod 600 {path}" for path in others),
        )
    where = "kept in the home folder" if keys.sessions_file else "given by the environment"
    return Inspected(part="secret key", says=f"The secret key is {where}.")


def _channels() -> list[Inspected]:
    return [
        Inspected(
            part=channel.name,
            says=probed.says,
            remedy=probed.remedy,
        )
        for channel in CHANNELS.values()
        for probed in channel.probe(settings_of(channel))
    ]


def _inbox() -> Inspected:
    folder: Path | None = settings.FIRSTREAD.inbox.folder
    if folder is None:
        return Inspected(part="inbox", says="No folder is watched.")
    probe = folder / f".{uuid.uuid4().hex}.part"
    try:
        probe.write_bytes(b"")
        probe.rename(probe.with_suffix(".tmp")).unlink()
    except OSError as error:
        return Inspected(
            part="inbox",
            says=f"The inbox cannot be written to ({error.strerror}).",
            remedy="Make the folder, and let Firstread write there: files are taken by renaming.",
        )
    if troubles := folder_troubles(Inbox(root=folder.absolute())):
        return Inspected(
            part="inbox",
            says=" ".join(troubles),
            remedy="Mend the folders that are named; their files wait meanwhile.",
        )
    return Inspected(part="inbox", says="Files can be taken from the inbox.")


def _clock() -> Inspected:
    year = datetime.now(UTC).year
    if year < 2025:
        return Inspected(
            part="clock",
            says=f"The clock says it is {year}.",
            remedy="Set the clock; timedatectl set-ntp true keeps it right.",
        )
    return Inspected(part="clock", says="The clock is plausible.")
