"""Pictures for pages: small or large, made anew from pixels, so that no metadata travels."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from firstread.imaging.decode import decode

SHOWN_AS = "image/webp"
"""The media type of what `thumbnail` and `display` return."""

_LOSSLESS_UP_TO_PX = 512 * 512


def thumbnail(data: bytes, *, max_side_px: int = 160) -> bytes:
    """A WebP picture of at most `max_side_px`; raises UnreadableSample as `decode` does."""
    return _webp(_within(decode(data), max_side_px=max_side_px), quality=82)


def display(data: bytes, *, max_side_px: int = 2048) -> bytes:
    """A WebP picture for reading, at its own size up to `max_side_px`.

    A single cell is small and is kept without loss; a larger picture is compressed gently.
    """
    picture = _within(decode(data), max_side_px=max_side_px)
    lossless = picture.width * picture.height <= _LOSSLESS_UP_TO_PX
    return _webp(picture, quality=92, lossless=lossless)


def _within(picture: Image.Image, *, max_side_px: int) -> Image.Image:
    longest = max(picture.size)
    if longest <= max_side_px:
        return picture
    size = tuple(max(1, round(side * max_side_px / longest)) for side in picture.size)
    return picture.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _webp(picture: Image.Image, *, quality: int, lossless: bool = False) -> bytes:
    # Pillow carries EXIF and colour profiles over from the opened file; pixels carry nothing.
    bare = Image.fromarray(np.asarray(picture))
    out = BytesIO()
    bare.save(out, format="WEBP", quality=quality, lossless=lossless, method=2)
    return out.getvalue()
