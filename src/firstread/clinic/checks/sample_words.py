"""What the samples of a case are called on a page: cells, slices, patches, recordings, pictures."""

from __future__ import annotations

from firstread.clinic.checks.checks import known_manifest
from firstread.clinic.models import Check
from firstread.domain.kinds import WORDS
from firstread.packs import PICTURE


def one_sample(check: Check) -> str:
    """What one sample of the check is called, as its pack says it, or else its kind."""
    manifest = known_manifest(check)
    said = manifest.pack.one if manifest else PICTURE
    return WORDS[check.kind].one if said == PICTURE else said
