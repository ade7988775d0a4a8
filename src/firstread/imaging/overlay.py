"""An evidence map as a transparent picture to lay over its sample."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONG_SIDE_PX = 512
TINT = np.array([[214, 255, 120], [64, 232, 140], [0, 168, 120]], dtype=np.float32)
"""From a little to most evidence: greens, which no stain of blood has, nor a grey picture."""


def overlay_png(
    heat: NDArray[Any],
    *,
    sample_px: tuple[int, int],
    network_px: tuple[int, int] | None = None,
    fit: str = "stretch",
) -> bytes:
    """A PNG in the proportions of the sample, 512 pixels on its longer side.

    `heat` [h, w] is what speaks for one label over the network's view of the sample; what speaks
    against it is left out, and what the network did not see stays clear. Sizes are width and
    height; `network_px` and `fit` are those of the pack's `[input]`.

    >>> overlay_png(np.eye(4, dtype=np.float32), sample_px=(64, 64))[:4]
    b'\\x89PNG'
    """
    speaks_for = np.asarray(heat, dtype=np.float32).clip(0)
    most = speaks_for.max()
    if most > 0:
        speaks_for /= most
    return _png(_laid_over(speaks_for, sample_px=sample_px, network_px=network_px, fit=fit))


def _laid_over(
    heat: NDArray[np.float32],
    *,
    sample_px: tuple[int, int],
    network_px: tuple[int, int] | None,
    fit: str,
) -> NDArray[np.float32]:
    width, height = sample_px
    scale = LONG_SIDE_PX / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(heat)
    if fit == "stretch" or network_px is None:
        return _resized(picture, size)
    ratios = (size[0] / network_px[0], size[1] / network_px[1])
    ratio = min(ratios) if fit == "crop" else max(ratios)
    seen = (max(1, round(network_px[0] * ratio)), max(1, round(network_px[1] * ratio)))
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
