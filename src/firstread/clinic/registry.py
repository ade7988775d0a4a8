"""Checks and the packs that read them: set up from the shelves, opened once a process."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from django.conf import settings

from firstread.clinic.models import Check
from firstread.domain.errors import (
    BadConfiguration,
    FirstreadError,
    PackRefused,
    UnknownCheck,
    UnknownPack,
)
from firstread.packs import Manifest, find_pack, list_packs, open_manifest
from firstread.runtime import PackReader, open_reader

log = logging.getLogger(__name__)

READERS = {"leukaemia": 2}
"""How many specialists a new check asks for; one where nothing is said."""
TRY_AGAIN_S = 30.0
"""A refused pack is tried again after this time: the operator may have copied it anew."""

_lock = threading.Lock()
_manifests: dict[str, tuple[Path, float, Manifest]] = {}
_readers: dict[str, PackReader] = {}
_refused: dict[str, tuple[float, FirstreadError]] = {}


def checks(*, enabled_only: bool = True) -> list[Check]:
    """The checks by title."""
    rows = Check.objects.all()
    return list(rows.filter(enabled=True) if enabled_only else rows)


def check_named(name: str) -> Check:
    """The enabled check of that name; raises UnknownCheck, which lists those that there are."""
    found = Check.objects.filter(name=name, enabled=True).first()
    if found is None:
        here = ", ".join(check.name for check in checks()) or "none"
        raise UnknownCheck(f"There is no check '{name[:64]}'. Checks here: {here}.")
    return found


def manifest_of(check: Check) -> Manifest:
    """The manifest of the check's champion; raises PackRefused or UnknownPack."""
    return manifest_named(check.pack)


def manifest_named(pack: str) -> Manifest:
    """The manifest of a pack, read again when its file changes."""
    kept = _manifests.get(pack)
    if kept is not None and _changed_at(kept[0]) == kept[1]:
        return kept[2]
    folder = find_pack(pack)
    manifest = open_manifest(folder)
    _manifests[pack] = (folder, _changed_at(folder), manifest)
    return manifest


def reader_of(check: Check) -> PackReader:
    """The open champion of the check; raises PackRefused or UnknownPack."""
    with _lock:
        reader = _readers.get(check.pack)
        if reader is not None:
            return reader
        since, error = _refused.get(check.pack, (0.0, None))
        if error is not None and time.monotonic() - since < TRY_AGAIN_S:
            raise error
        try:
            reader = open_reader(find_pack(check.pack), threads=settings.FIRSTREAD.reading.threads)
        except (PackRefused, UnknownPack) as error:
            _refused[check.pack] = (time.monotonic(), error)
            raise
        if reader.manifest.kind != check.kind:
            raise PackRefused(
                f"The pack '{check.pack}' reads {reader.manifest.kind}, and the check "
                f"'{check.name}' takes {check.kind}. Choose another pack for the check."
            )
        _readers[check.pack] = reader
        return reader


def trouble(check: Check) -> str | None:
    """Why the check cannot be read at the moment, or None."""
    try:
        reader_of(check)
    except FirstreadError as error:
        return str(error)
    return None


def ensure_checks() -> list[Check]:
    """Set up a check for each pack that has none yet; what people changed stays."""
    made = []
    for folder in list_packs():
        try:
            manifest = open_manifest(folder)
        except PackRefused as error:
            log.warning("a pack is left out: %s", error)
            continue
        said = settings.FIRSTREAD.checks.get(manifest.check)
        if said and said.pack and said.pack not in (folder.name, manifest.name):
            continue
        check, created = Check.objects.get_or_create(
            name=manifest.check,
            defaults={
                "title": manifest.check.replace("-", " ").capitalize(),
                "pack": folder.name,
                "kind": manifest.kind,
                "many": manifest.pack.many,
                "readers": (said and said.readers) or READERS.get(manifest.check, 1),
                "tells_requester": bool(said and said.tells_requester),
            },
        )
        if created:
            made.append(check)
    return made


def refuse_unknown_checks() -> None:
    """Raises BadConfiguration where the settings name a check that is not set up."""
    known = {check.name for check in checks(enabled_only=False)}
    config = settings.FIRSTREAD
    named = {f"checks.{name}": name for name in config.checks}
    if config.inbox.default_check:
        named["inbox.default_check"] = config.inbox.default_check
    for key, name in named.items():
        if name not in known:
            here = ", ".join(sorted(known)) or "none"
            raise BadConfiguration(
                f"The setting '{key}' names a check that no pack reads. Checks here: {here}. "
                "Correct it, or put the pack on a shelf (FIRSTREAD_PACKS)."
            )


def forget() -> None:
    """Open every pack anew when it is next asked for."""
    with _lock:
        _readers.clear()
        _refused.clear()
        _manifests.clear()


def _changed_at(folder: Path) -> float:
    try:
        return (folder / "pack.toml").stat().st_mtime
    except OSError:
        return -1.0
