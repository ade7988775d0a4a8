"""The evidence map of a label as a transparent picture to lay over the sample."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.clinic import registry
from firstread.clinic.arrays import unpack_array
from firstread.clinic.models import CaseSample, ReadRow
from firstread.clinic.stored_reads import codes_of
from firstread.domain.errors import UnknownCase
from firstread.packs import Input

LONG_SIDE_PX = 512
TINT = np.array([[214, 255, 120], [64, 232, 140], [0, 168, 120]], dtype=np.float32)
"""From a little to most evidence: greens, which no stain of blood has, nor a grey picture."""


def png(case_sample_id: int, *, label: str) -> bytes:
    """The overlay of the first read's map for a label, in the proportions of the sample.

    Raises UnknownCase where there is no such sample, read, map or label.
    """
    row = (
        ReadRow.objects.select_related("case_sample__sample", "case_sample__case__check_row")
        .filter(case_sample=case_sample_id, shadow=False)
        .first()
    )
    if row is None or row.evidence is None:
        raise UnknownCase("This sample has no evidence map. Read the case without one.")
    codes = codes_of(row)
    if label not in codes:
        raise UnknownCase("The pack that read this sample has no such label. Open the case anew.")
    heat = _shown(unpack_array(bytes(row.evidence))[codes.index(label)])
    return _png(_laid_over(heat, sample=row.case_sample, given=_input(row)))


def _input(row: ReadRow) -> Input | None:
    return registry.manifest_named(row.pack).input


def _shown(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Only what speaks for the label, from 0 to 1."""
    heat = np.maximum(heat, 0)
    most = float(heat.max())
    return heat / most if most > 0 else heat


def _laid_over(
    heat: NDArray[np.float32], *, sample: CaseSample, given: Input | None
) -> NDArray[np.float32]:
    """The map in the sample's proportions; what the network did not see stays clear."""
    width = sample.sample.width_px or 1
    height = sample.sample.height_px or 1
    scale = LONG_SIDE_PX / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(heat)
    fit = given.fit if given else "stretch"
    if fit == "stretch" or given is None:
        return _resized(picture, size)
    ratios = (size[0] / given.width_px, size[1] / given.height_px)
    ratio = min(ratios) if fit == "crop" else max(ratios)
    seen = (max(1, round(given.width_px * ratio)), max(1, round(given.height_px * ratio)))
    whole = Image.new("F", size, 0.0)
    large = Image.fromarray(_resized(picture, seen))
    whole.paste(large, ((size[0] - seen[0]) // 2, (size[1] - seen[1]) // 2))
    return np.asarray(whole)


def _resized(picture: Image.Image, size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC)).clip(0, 1)


def _png(heat: NDArray[np.float32]) -> bytes:
    stops = np.linspace(0, 1, len(TINT))
    colour = np.stack([np.interp(heat, stops, TINT[:, c]) for c in range(3)], axis=-1)
    alpha = (np.clip((heat - 0.15) / 0.85, 0, 1) ** 1.2 * 235)[..., np.newaxis]
    pixels = np.concatenate([colour, alpha], axis=-1).round().astype(np.uint8)
    out = BytesIO()
    Image.fromarray(pixels, mode="RGBA").save(out, format="PNG", compress_level=4)
    return out.getvalue()
