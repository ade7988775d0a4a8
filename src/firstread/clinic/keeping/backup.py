"""A backup: the database first, as it is at one moment, then all bytes that it speaks of."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

import firstread
from firstread import packs
from firstread.clinic import seals
from firstread.clinic.keeping import copies, databases, erased
from firstread.clinic.keeping.store_round import is_spoken_of
from firstread.clinic.models import BackupRow, Check, clock
from firstread.clinic.models.reads import PACKS_THAT_READ
from firstread.clinic.storage import store
from firstread.domain.errors import BackupRefused, FirstreadError, StoreTrouble
from firstread.files.key_file import keep_keys

BYTES = """SELECT sha256, size_bytes FROM clinic_sample WHERE bytes_erased_at IS NULL
    UNION SELECT sha256, max(size_bytes) FROM clinic_refusedsample GROUP BY sha256 ORDER BY 1"""
COUNTED = ("case", "sample", "refusedsample", "patient", "readrow", "signoff", "auditrow")
LEFT_FREE_BYTES = 50_000_000
SESSIONS_KEY, AUDIT_KEY = "secret-key", "audit-key"


@dataclass(kw_only=True)
class Made:
    """What became of a backup."""

    folder: Path
    files: int = 0
    size_bytes: int = 0
    fresh: int = 0
    """How many of the files no earlier copy held."""
    troubles: list[str] = field(default_factory=list)
    """What it lacks, though it is as whole as the site itself."""
    gone: list[str] = field(default_factory=list)
    """Older copies that were deleted."""


def back_up(
    root: Path,
    *,
    settings_file: Path | None,
    with_key: bool,
    keep: int | None,
    after_each: Callable[[], None] = lambda: None,
) -> Made:
    """Make a copy of the site in a folder of `root`, while the site runs.

    `keep`: delete all but so many of the newest copies afterwards. Raises BackupRefused,
    StoreTrouble, and OSError where the disk is full; then no copy is left half made.
    """
    _refuse_folder_of_site(root)
    if away := store.why_away():
        raise StoreTrouble(away)
    with copies.alone(root):
        row = BackupRow.objects.create(
            name=_free_name(root), place=_place(root), began_at=clock.now()
        )
        try:
            made = _make(
                root, row, settings_file=settings_file, with_key=with_key, after_each=after_each
            )
        except BaseException:
            row.delete()
            raise
        row.ended_at, row.samples = clock.now(), made.files
        row.save(update_fields=["ended_at", "samples"])
        erased.catch_up(root)
        if keep is not None:
            made.gone = copies.prune(root, keep=keep)
            here = BackupRow.objects.filter(place=row.place, name__in=made.gone)
            here.update(gone_at=clock.now())
    return made


def _refuse_folder_of_site(root: Path) -> None:
    """Raises BackupRefused where copies would lie among what they are copies of.

    There `samples` and `packs` are the site's own: nothing would be copied, and what no copy holds
    be deleted.
    """
    config = settings.FIRSTREAD
    own = [config.home, store.root(), packs.own_shelf()]
    inbox = [] if config.inbox.folder is None else [config.inbox.folder]
    for folder in (each.resolve() for each in (*own, *inbox)):
        if root.resolve().is_relative_to(folder):
            raise BackupRefused(
                f"{root} lies in {folder}, which the site itself works in: a copy there would be "
                "mixed up with it, or lost with it. Name a folder elsewhere, on another disk."
            )
    taken = [(root / name).resolve() for name in ("samples", "packs")]
    if (taken[0] / store.MARK).exists() or any(each.resolve() in taken for each in own):
        raise BackupRefused(
            f"{root} holds the samples or packs of a site, not copies. Name a folder for copies "
            "alone."
        )


def _make(
    root: Path,
    row: BackupRow,
    *,
    settings_file: Path | None,
    with_key: bool,
    after_each: Callable[[], None],
) -> Made:
    with copies.half(root) as folder:
        with databases.copied(folder) as query:
            told = _told(row, query)
            with (folder / copies.LIST).open("w", encoding="ascii") as file:
                file.writelines(f"{sha256} {size}\n" for sha256, size in query(BYTES))
        made = Made(folder=root / row.name)
        _refuse_too_little_room(root, folder)
        for sha256, size in _listed(folder):
            _take(sha256, size, root=root, made=made)
            after_each()
        told["packs"] = _packs(root, made, read_by=told.pop("read_by"))
        if settings_file is not None:
            shutil.copyfile(settings_file, folder / "firstread.toml")
        if with_key:
            _write_keys(folder)
        told |= {
            "samples": {"files": made.files, "size_bytes": made.size_bytes},
            "lacks": made.troubles,
            "secret_key": {"name": seals.current().name, "inside": with_key},
        }
        copies.seal(folder, told)
        copies.finish(folder, name=row.name)
    return made


def _told(row: BackupRow, query: databases.Query) -> dict[str, Any]:
    counts = {
        name: next(query(f"SELECT count(*) FROM clinic_{name}"))[0]  # noqa: S608  names of ours
        for name in COUNTED
    }
    read_by = query(PACKS_THAT_READ)
    return {
        "name": row.name,
        "firstread": firstread.__version__,
        "made_at": row.began_at.isoformat(),
        "of": f"{socket.gethostname()}:{settings.FIRSTREAD.home}",
        "database": connection.vendor,
        "migrations": [
            f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()
        ],
        "rows": counts,
        "read_by": [list(each) for each in read_by],
        "environment": sorted(name for name in os.environ if name.startswith("FIRSTREAD_")),
    }


def _take(sha256: str, size: int, *, root: Path, made: Made) -> None:
    """See that the bytes are among those of all copies."""
    place = copies.place_of(root, sha256)
    made.files += 1
    made.size_bytes += size
    try:
        if place.stat().st_size == size:
            return
    except FileNotFoundError:
        pass
    try:
        whole = copies.copied(lambda: _pieces(sha256), to=place, sha256=sha256)
        why = "" if whole else "damaged"
    except FileNotFoundError:
        why = "missing"
    except PermissionError:
        why = "out of reach"
    if not why:
        made.fresh += 1
    elif is_spoken_of(sha256):  # else it was erased since the database was copied
        made.troubles.append(f"The sample {sha256} is {why} in the store.")


def _pieces(sha256: str) -> Iterator[bytes]:
    with storages["samples"].open(store.place_of(sha256)) as file:
        yield from file.chunks()


def _listed(folder: Path) -> Iterator[tuple[str, int]]:
    return copies.Copy(folder=folder, told={}).samples()


def _refuse_too_little_room(root: Path, folder: Path) -> None:
    """Raises BackupRefused before gigabytes are written that will not fit."""
    needed = LEFT_FREE_BYTES
    for sha256, size in _listed(folder):
        if not copies.place_of(root, sha256).exists():
            needed += size
    free = shutil.disk_usage(root).free
    if needed > free:
        raise BackupRefused(
            f"The backup needs {needed / 1e9:.1f} GB more in {root}, and {free / 1e9:.1f} GB are "
            "free there. Make room, keep fewer copies (--keep), or name another disk."
        )


def _packs(root: Path, made: Made, *, read_by: list[list[str]]) -> list[dict[str, str]]:
    """The packs in use: those that came with Firstread by name and hash, the others themselves."""
    there = {packs.pack_sha256(folder): folder for folder in packs.list_packs() if _sealed(folder)}
    found = []
    for name, version, sha256 in [*read_by, *_champions(read_by)]:
        folder = there.get(sha256)
        kept = ""
        if folder is None:
            made.troubles.append(f"The pack {name} {version} that read cases is on no shelf.")
        elif not packs.is_shipped(folder):
            kept = f"packs/{folder.name}-{sha256[:12]}"
            if not copies.is_pack(root / kept, sha256=sha256):
                _copy_pack(folder, root / kept)
            if not copies.is_pack(root / kept, sha256=sha256):
                made.troubles.append(f"The pack {folder.name} is damaged on its shelf.")
        found.append({"name": name, "version": version, "sha256": sha256, "folder": kept})
    return found


def _champions(read_by: list[list[str]]) -> list[list[str]]:
    """The packs of the checks that have read nothing yet."""
    known, found = {sha256 for _, _, sha256 in read_by}, []
    for check in Check.objects.filter(enabled=True):
        try:
            folder = packs.find_pack(check.pack)
            manifest, sha256 = packs.open_manifest(folder), packs.pack_sha256(folder)
        except FirstreadError:
            continue  # its cases wait; the doctor tells of it
        if sha256 not in known:
            known.add(sha256)
            found.append([manifest.name, manifest.version, sha256])
    return found


def _sealed(folder: Path) -> bool:
    try:
        packs.pack_sha256(folder)
    except FirstreadError:
        return False
    return True


def _copy_pack(folder: Path, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    half = to.with_name(f"{copies.HALF}{to.name}")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(folder, half)
    half.rename(to)


def _write_keys(folder: Path) -> None:
    keys = settings.FIRSTREAD.keys
    keep_keys(folder / SESSIONS_KEY, keys.sessions)
    if keys.audit != keys.sessions:
        keep_keys(folder / AUDIT_KEY, keys.audit)


def _free_name(root: Path) -> str:
    name = f"{clock.now().astimezone(UTC):%Y%m%dT%H%M%SZ}"
    taken = {each.name for each in root.iterdir()}
    return next(
        each
        for each in (name, *(f"{name}-{number}" for number in range(2, 1000)))
        if each not in taken
    )


def _place(root: Path) -> str:
    return f"{socket.gethostname()}:{root.absolute()}"
