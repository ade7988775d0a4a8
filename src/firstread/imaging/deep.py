"""Pictures of more than eight bits for each colour, with all of their bits."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.decoding.levels import range_of, to_levels
from firstread.imaging.colour import exponent_of
from firstread.imaging.open_file import FORMATS, OpenFile

_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if np.little_endian else "L"}
"""Unpacked in the other order of bytes, what is kept of 16 bits are the lower eight."""
_BOTH_BYTES = ("RGB;16", "RGBA;16", "RGBX;16")
_SMALLEST, _LARGEST = (340, 280), (341, 281)
"""SMinSampleValue and MinSampleValue; SMaxSampleValue and MaxSampleValue."""

_STATED_BY_BITS = {(8,): (-128.0, 127.0), (12,): (0.0, 4095.0)}
"""Of numbers that are kept in no more bits than they have; eight with a sign."""


def eight_bits_of(opened: OpenFile) -> tuple[Image.Image, tuple[str, ...]] | None:
    """A loaded picture with eight bits for each colour, and how their range was found.

    None where it has no more than these. Its gamma is applied where it is grey, or has colours of
    16 bits; what the file says beside its pixels stays beside them.
    """
    image = opened.image
    numbers = _greys(opened)
    if numbers is None:
        return _colours(opened)
    white_is_low = opened.page is not None and opened.page.white_is_zero
    given = range_of(numbers, stated=_stated(opened, numbers))
    levels = to_levels(
        numbers, given, white_is_low=white_is_low, exponent=exponent_of(image.info)
    )  # fmt: skip
    key = image.info.get("transparency")
    if isinstance(key, int):
        levels = np.where(numbers == key, np.uint8(255), levels)
    return _as_image(levels, image), (given.note,) if given.note else ()


def _greys(opened: OpenFile) -> NDArray[Any] | None:
    """The numbers of a picture of one number for each pixel; None where eight bits hold them."""
    image, page = opened.image, opened.page
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16, copy=False)
    if image.mode == "F":
        return np.asarray(image)
    if image.mode == "I":
        whole = np.asarray(image)
        unsigned = page is not None and page.form == 1 and max(page.bits) == 32
        return whole.view(np.uint32) if unsigned else whole
    if image.mode == "L" and page is not None and page.form == 2 and page.bits == (8,):
        return np.asarray(image).view(np.int8)
    return None


def _stated(opened: OpenFile, numbers: NDArray[Any]) -> tuple[float, float] | None:
    """The range that the file itself states, where it does."""
    if opened.page is None:
        return _significant(opened.data, numbers)
    if opened.page.bits in _STATED_BY_BITS:
        return _STATED_BY_BITS[opened.page.bits]
    tags = opened.image.tag_v2  # type: ignore[attr-defined]  # a TIFF has them
    low, high = (_first_number(tags, names) for names in (_SMALLEST, _LARGEST))
    return None if high is None else (low if low is not None else min(0.0, numbers.min()), high)


def _first_number(tags: Any, names: tuple[int, ...]) -> float | None:
    for name in names:
        value = tags.get(name)
        value = value[0] if isinstance(value, tuple) and value else value
        if isinstance(value, int | float) or hasattr(value, "__float__"):
            return float(value)
    return None


def _significant(data: bytes, numbers: NDArray[Any]) -> tuple[float, float] | None:
    """What a PNG says of how many of its bits were measured (sBIT), where they lie lowest."""
    at = data.find(b"sBIT", 0, data.find(b"IDAT"))
    if at < 0 or numbers.dtype != np.uint16:
        return None
    bits = data[at + 4]
    return (0, 2**bits - 1) if 8 <= bits < 16 and numbers.max(initial=0) < 2**bits else None


def _colours(opened: OpenFile) -> tuple[Image.Image, tuple[str, ...]] | None:
    """Colours of 16 bits, which Pillow would cut to their upper eight."""
    image, name = opened.image, opened.raw_mode
    if name == "LA;16B":
        four = np.asarray(Image.open(BytesIO(_as_four_bytes(opened.data)), formats=("PNG",)))
        values, alpha = four[..., 0].astype(np.uint16) << 8 | four[..., 1], four[..., 2:3]
    elif name[:-1] in _BOTH_BYTES:
        whole = np.asarray(image).astype(np.uint16) << 8 | _lower_bytes(opened)
        values, alpha = whole[..., :3], (whole[..., 3:] >> 8).astype(np.uint8)
    else:
        return None
    given = range_of(values, colour=values.ndim == 3)
    levels = to_levels(values, given, exponent=exponent_of(image.info))
    if alpha.shape[-1] and image.mode == "RGBA":
        levels = np.dstack([levels, alpha])
    return _as_image(levels, image), (given.note,) if given.note else ()


def _as_image(levels: NDArray[np.uint8], of: Image.Image) -> Image.Image:
    made = Image.fromarray(np.ascontiguousarray(levels))
    profile = of.info.get("icc_profile")
    made.info = {"icc_profile": profile} if profile else {}
    return made


def _lower_bytes(opened: OpenFile) -> NDArray[np.uint8]:
    again = Image.open(BytesIO(opened.data), formats=FORMATS)
    name = opened.raw_mode
    other = name[:-1] + _OTHER_BYTE[name[-1]]
    again.tile = [
        tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other)
        for tile in again.tile
    ]
    return np.asarray(again)


def _as_four_bytes(data: bytes) -> bytes:
    """A PNG of grey and alpha, 16 bits each, as one of four colours of eight: the same bytes."""
    head = data[12:24] + bytes([8, 6]) + data[26:29]  # IHDR: its size, depth, form of colours
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]
