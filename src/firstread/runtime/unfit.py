"""Why a sample may not be read by a model, as one sentence with the remedy."""

from __future__ import annotations

from collections.abc import Mapping

from firstread.imaging.quality import Quality
from firstread.packs import Input, Label, QualityLimits

_ENLARGED = 1.5
"""A picture that is blurred, and was enlarged by more than this, is too small."""

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


def told_of_size(unfit: str | None, *, size_px: tuple[int, int], given: Input) -> str | None:
    """The sentence for a picture that is blurred because it had to be enlarged; else `unfit`.

    >>> given = Input(width_px=96, height_px=96, colour="rgb", fit="crop", interpolation="bilinear")
    >>> told_of_size(_SPOILED["blurred"], size_px=(28, 28), given=given)
    'The picture is too small, 28 x 28 pixels of 96 x 96: send it at its full size.'
    """
    width, height = size_px
    sides = given.width_px / width, given.height_px / height
    enlarged = min(sides) if given.fit == "pad" else max(sides)
    if unfit != _SPOILED["blurred"] or enlarged <= _ENLARGED:
        return unfit
    return (
        f"The picture is too small, {width} x {height} pixels of {given.width_px} x "
        f"{given.height_px}: send it at its full size."
    )


def unfit_label(label: Label) -> str | None:
    """The sentence where the most probable label itself asks for a better sample."""
    if not label.unfit:
        return None
    return "The model cannot identify this cell: take a better picture."
