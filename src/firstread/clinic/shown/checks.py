"""The checks with what their packs know, and the packs that are on the shelves."""

from __future__ import annotations

from dataclasses import dataclass

from firstread.clinic.checks.checks import all_checks, manifest_of
from firstread.clinic.models import Check
from firstread.domain.errors import PackRefused, UnknownPack
from firstread.packs import Manifest, list_packs, open_manifest


@dataclass(frozen=True, kw_only=True)
class ShownCheck:
    """A check; without a manifest where its pack cannot be opened."""

    check: Check
    manifest: Manifest | None


def shown_checks() -> list[ShownCheck]:
    """Every check by title, those that are switched off too."""
    return [ShownCheck(check=check, manifest=_manifest(check)) for check in all_checks()]


def shown_packs() -> list[Manifest]:
    """The packs that can be opened; their page and `firstread doctor` say what ails the others."""
    packs = []
    for folder in list_packs():
        try:
            packs.append(open_manifest(folder))
        except PackRefused:
            continue
    return packs


def _manifest(check: Check) -> Manifest | None:
    try:
        return manifest_of(check)
    except (PackRefused, UnknownPack):
        return None
