"""Why a sample may not be read by a model, as one sentence with the remedy."""

from __future__ import annotations

from collections.abc import Mapping

from firstread.imaging.quality import Quality
from firstread.packs import Label, QualityLimits

_SPOILED = {
    "dark": "The picture is too dark: take it again with more light.",
    "bright": "The picture is too bright: take it again with less light.",
    "blurred": "The picture is blurred: take it again in focus.",
    "grainy": "The picture is grainy: take it again with more light or a longer exposure.",
}


def unfit_quality(quality: Quality, *, limits: QualityLimits) -> str | None:
    """The worst of what is wrong with the picture, or None.

    A black or empty picture is also blurred: what is darkest comes first.
    """
    if quality.brightness < limits.min_brightness:
        return _SPOILED["dark"]
    if quality.brightness > limits.max_brightness:
        return _SPOILED["bright"]
    if quality.contrast < limits.min_contrast:
        return "The picture shows almost nothing: check what lies under the lens, take it again."
    if quality.sharpness < limits.min_sharpness:
        return _SPOILED["blurred"]
    return None


def unfit_looks(spoiled: Mapping[str, float]) -> str | None:
    """The sentence for what is spoiled most, or None; 1 is the most that may be.

    >>> unfit_looks({"dark": 0.4, "blurred": 1.2})
    'The picture is blurred: take it again in focus.'
    """
    found = {kind: level for kind, level in spoiled.items() if kind in _SPOILED and level > 1.0}
    return _SPOILED[max(found, key=found.__getitem__)] if found else None


def unfit_label(label: Label) -> str | None:
    """The sentence where the most probable label itself asks for a better sample."""
    if not label.unfit:
        return None
    return "The model cannot identify this cell: take a better picture."
