"""Bytes of a picture become upright RGB pixels, or a sentence that says why not."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from firstread.domain.errors import UnreadableSample
from firstread.imaging.sniff import what_it_is

MAX_PIXELS = 100_000_000
"""More is refused before it is unpacked; 100 million pixels are 300 MB in memory."""

# Pillow warns from its own limit on; so that it never warns of a picture that is opened, one limit.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
"""The only parsers of Pillow that hostile bytes ever reach."""

_SEND = "Send PNG, JPEG, TIFF, BMP, WebP or GIF."
_ORIENTATION = 0x0112
_FIRST_ON_ITS_SIDE = 5
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's parsers were seen to raise on damaged bytes, or say in their documentation. All of
# them mean the same to the person who sent the file.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    EOFError,
    MemoryError,
    RuntimeError,
    BufferError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,  # where the operator turned warnings into errors, a doubt refuses
)


Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels; a part of a pixel is a fraction."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture that was decoded, perhaps at a half, a quarter or an eighth of its size."""

    image: Image.Image
    """Upright, RGB."""
    size_px: tuple[int, int]
    """Width and height of the whole picture, upright."""
    box: Box
    """The part of `image` that the picture fills: a column of 5 pixels, halved, fills 2.5 of 3."""
    notes: tuple[str, ...] = ()
    """What of the file was chosen or passed over, a sentence each."""


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The first picture that `data` holds, upright, RGB, transparency laid onto white.

    Raises UnreadableSample where the bytes are empty, no picture, cut off, or more than
    `max_pixels`; nothing else, whatever the bytes.
    """
    return decode_small(data, shrinks=lambda _width, _height: 1.0, max_pixels=max_pixels).image


def decode_small(
    data: bytes, *, shrinks: Callable[[int, int], float], max_pixels: int = MAX_PIXELS
) -> Picture:
    """As `decode`, but a JPEG is decoded straight to a fraction of its size where that is enough.

    `shrinks` says by what at most an upright picture of that width and height may shrink while it
    is decoded. JPEG keeps blocks of 8 x 8 frequencies: to leave the high ones out gives a half, a
    quarter or an eighth of the size for a fraction of the work and of the memory.
    """
    picture = _opened(data, max_pixels=max_pixels)
    try:
        whole = picture.size
        turned = picture.format == "JPEG" and _orientation(picture) >= _FIRST_ON_ITS_SIDE
        factor = _halved(picture, by=shrinks(*whole[::-1] if turned else whole))
        picture.load()
        box = (0.0, 0.0, whole[0] / factor, whole[1] / factor)
        upright = _upright(_rgb(picture), whole, box=box, orientation=_orientation(picture))
        return replace(upright, notes=_passed_over(picture))
    except _DAMAGED:
        raise UnreadableSample(
            f"This {picture.format} picture is cut off or damaged. Send the file again."
        ) from None


def _passed_over(picture: Image.Image) -> tuple[str, ...]:
    """What of the file is not read, though it is there."""
    pages = getattr(picture, "n_frames", 1)
    word = "Page" if picture.format == "TIFF" else "Frame"
    return (f"{word} 1 of {pages} was read.",) if pages > 1 else ()


def _halved(picture: Image.Image, *, by: float) -> int:
    """Tell a JPEG's decoder to shrink by 8, 4 or 2, at most by `by`; the factor that it takes."""
    factor = next((each for each in (8, 4, 2) if each <= by), 1)
    if factor == 1 or not isinstance(picture, JpegImageFile):
        return 1
    width, height = picture.size
    taken = picture.draft(None, (max(1, width // factor), max(1, height // factor)))
    return 1 if taken is None else factor


def _opened(data: bytes, *, max_pixels: int) -> Image.Image:
    if not data:
        raise UnreadableSample("The file is empty. Send it again.")
    try:
        picture: Image.Image = Image.open(BytesIO(data), formats=FORMATS)
        width, height = picture.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(max_pixels) from None
    except _DAMAGED:
        found = what_it_is(data)
        if found is None:
            raise UnreadableSample(
                f"This is not a picture Firstread can open, or it is damaged. {_SEND}"
            ) from None
        raise UnreadableSample(
            f"This is {found}, not a picture Firstread can open. {_SEND}"
        ) from None
    if width * height > max_pixels:
        raise _too_large(max_pixels, width=width, height=height)
    if width < 1 or height < 1:
        raise UnreadableSample("This picture has no pixels. Send it again.")
    return picture


def _too_large(max_pixels: int, *, width: int = 0, height: int = 0) -> UnreadableSample:
    size = f"{width} x {height} pixels" if width else "more pixels than can be opened"
    return UnreadableSample(
        f"This picture claims {size}; at most {max_pixels / 1e6:g} million are opened. "
        "Send a smaller picture or a part of it."
    )


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except _DAMAGED:
        return 1  # a damaged note beside the picture does not make the picture unreadable


def _upright(image: Image.Image, whole: tuple[int, int], *, box: Box, orientation: int) -> Picture:
    turn = _UPRIGHT.get(orientation)
    if turn is None:
        return Picture(image=image, size_px=whole, box=box)
    return Picture(
        image=image.transpose(turn),
        size_px=whole[::-1] if orientation >= _FIRST_ON_ITS_SIDE else whole,
        box=_turned(box, size=image.size, orientation=orientation),
    )


def _turned(box: Box, *, size: tuple[int, int], orientation: int) -> Box:
    """The box in the upright picture; `size` is that of the picture as it lay in the file."""
    left, top, right, bottom = box
    if orientation in (2, 3, 7, 8):
        left, right = size[0] - right, size[0] - left
    if orientation in (3, 4, 6, 7):
        top, bottom = size[1] - bottom, size[1] - top
    if orientation >= _FIRST_ON_ITS_SIDE:
        return top, left, bottom, right
    return left, top, right, bottom


def _rgb(picture: Image.Image) -> Image.Image:
    mode = picture.mode
    if mode.startswith("I;16"):
        return _from_grey(_eight_bits(np.asarray(picture), full=picture.format == "PNG"))
    if mode in ("I", "F"):
        return _from_grey(_stretched(np.asarray(picture, dtype=np.float64)))
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return picture.convert("RGB")


def _eight_bits(values: np.ndarray[Any, Any], *, full: bool) -> np.ndarray[Any, Any]:
    """16-bit grey to 8 bits. Cameras of 10, 12 and 14 bits write TIFF of 16, so there the range
    is the smallest of these that holds the brightest pixel; PNG always uses its whole range."""
    brightest = int(values.max(initial=0))
    bits = 16 if full else next(b for b in (8, 10, 12, 14, 16) if brightest < 2**b)
    scaled = values.astype(np.float32) * (255.0 / (2**bits - 1)) + 0.5
    return np.asarray(scaled, dtype=np.uint8)


def _stretched(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Numbers of no stated range: the darkest becomes 0, the brightest 255."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(values.shape, dtype=np.uint8)
    return np.asarray((values - low) / (high - low) * 255 + 0.5).astype(np.uint8)


def _from_grey(grey: np.ndarray[Any, Any]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(grey)).convert("RGB")
