"""What the samples of a case are called on a page: cells, slices, patches, recordings, pictures."""

from __future__ import annotations

from firstread.clinic.checks.checks import known_manifest
from firstread.clinic.models import Check
from firstread.domain.kinds import WORDS
from firstread.packs import PICTURE

_HISSING = ("s", "x", "z", "ch", "sh")


def one_sample(check: Check) -> str:
    """What one sample of the check is called, as its pack says it, or else its kind."""
    manifest = known_manifest(check)
    said = manifest.pack.one if manifest else PICTURE
    return WORDS[check.kind].one if said == PICTURE else said


def plural(one: str) -> str:
    """Several of them.

    >>> plural("cell"), plural("slice"), plural("patch"), plural("biopsy core"), plural("biopsy")
    ('cells', 'slices', 'patches', 'biopsy cores', 'biopsies')
    """
    if one.endswith(_HISSING):
        return f"{one}es"
    if one.endswith("y") and not one.endswith(("ay", "ey", "oy", "uy")):
        return f"{one[:-1]}ies"
    return f"{one}s"


def how_many(count: int, one: str) -> str:
    """So many of them.

    >>> how_many(1, "patch"), how_many(8, "patch"), how_many(1200, "cell")
    ('1 patch', '8 patches', '1,200 cells')
    """
    return f"{count:,} {one if count == 1 else plural(one)}"
