"""Why a sample may not be read by a model, as one sentence with the remedy."""

from __future__ import annotations

from firstread.imaging.quality import Quality
from firstread.packs import Label, QualityLimits


def unfit_quality(quality: Quality, *, limits: QualityLimits) -> str | None:
    """The worst of what is wrong with the picture, or None.

    A black or empty picture is also blurred: what is darkest comes first.
    """
    if quality.brightness < limits.min_brightness:
        return "The picture is too dark: take it again with more light."
    if quality.brightness > limits.max_brightness:
        return "The picture is too bright: take it again with less light."
    if quality.contrast < limits.min_contrast:
        return "The picture shows almost nothing: check what lies under the lens, take it again."
    if quality.sharpness < limits.min_sharpness:
        return "The picture is blurred: take it again in focus."
    return None


def unfit_label(label: Label) -> str | None:
    """The sentence where the most probable label itself asks for a better sample."""
    if not label.unfit:
        return None
    return "The model cannot identify this cell: take a better picture."
