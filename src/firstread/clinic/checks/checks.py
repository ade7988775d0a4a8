"""The checks as rows: set up from the packs on the shelves, found by name, with their manifests."""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings

from firstread.clinic.models import Check
from firstread.domain.errors import BadConfiguration, PackRefused, UnknownCheck, UnknownPack
from firstread.packs import Manifest, find_pack, list_packs, open_manifest
from firstread.packs.motifs import reads_for_a_check

log = logging.getLogger(__name__)

_manifests: dict[str, tuple[Path, float, Manifest]] = {}


def enabled_checks() -> list[Check]:
    """The checks that take samples, by title."""
    return list(Check.objects.filter(enabled=True))


def all_checks() -> list[Check]:
    """Those that are switched off, too, for their cases are still shown."""
    return list(Check.objects.all())


def check_named(name: str) -> Check:
    """The enabled check of that name; raises UnknownCheck, which lists those that there are."""
    found = Check.objects.filter(name=name, enabled=True).first()
    if found is None:
        here = ", ".join(check.name for check in enabled_checks()) or "none"
        raise UnknownCheck(f"There is no check '{name[:64]}'. Checks here: {here}.")
    return found


def manifest_of(check: Check) -> Manifest:
    """The manifest of the check's champion; raises PackRefused or UnknownPack."""
    return manifest_named(check.pack)


def known_manifest(check: Check) -> Manifest | None:
    """The same, or None where the pack is gone or refused: what it read is still shown."""
    try:
        return manifest_of(check)
    except (PackRefused, UnknownPack):
        return None


def manifest_named(pack: str) -> Manifest:
    """The manifest of a pack, read again when its file changes."""
    kept = _manifests.get(pack)
    if kept is not None and _changed_at(kept[0]) == kept[1]:
        return kept[2]
    folder = find_pack(pack)
    manifest = open_manifest(folder)
    _manifests[pack] = (folder, _changed_at(folder), manifest)
    return manifest


def forget_manifests() -> None:
    """Read every manifest anew when it is next asked for."""
    _manifests.clear()


def ensure_checks() -> list[Check]:
    """Set up a check for each pack that has none yet; what people changed stays."""
    made = []
    for folder in list_packs():
        try:
            manifest = open_manifest(folder)
        except PackRefused as error:
            log.warning("a pack is left out: %s", error)
            continue
        if not reads_for_a_check(manifest):
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
                "readers": (said and said.readers) or manifest.pack.readers,
                "tells_requester": bool(said and said.tells_requester),
            },
        )
        if created:
            made.append(check)
    return made


def refuse_unknown_checks() -> None:
    """Raises BadConfiguration where the settings name a check that is not set up."""
    known = {check.name for check in all_checks()}
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


def _changed_at(folder: Path) -> float:
    try:
        return (folder / "pack.toml").stat().st_mtime
    except OSError:
        return -1.0
