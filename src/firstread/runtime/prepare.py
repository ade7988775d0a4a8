"""A picture made to fit a network: the one recipe of training, command line, clinic and edge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.imaging.appearance import colour_of
from firstread.imaging.decode import Box, Picture, decode_small
from firstread.packs import Input

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_LEFT_TO_PILLOW = {"bilinear": 2.4, "bicubic": 3.0, "lanczos": 3.0}
"""How many times the needed size a JPEG has at least after its decoder shrank it. From there on
photographs come out within two thirds of a grey level, in the mean, of what full decoding gives,
most within half, for networks of 64 pixels and more. `nearest` and `box` weigh pixels by hard
edges, so for them nothing is shrunk beforehand. Measured in docs/decisions/0007."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A picture as a network takes it, and what was lost on the way."""

    pixels: NDArray[np.uint8]
    """[H, W, 3]"""
    colour: float | None
    """How much colour it had, in grey levels, where `[input]` makes it grey; None elsewhere."""
    size_px: tuple[int, int]
    """Width and height of the picture as it came."""
    notes: tuple[str, ...]
    """What of the file was chosen or passed over."""


def prepared_of(data: bytes, given: Input) -> Prepared:
    """As `pixels_of`, with how much colour a picture had that a pack reads in grey."""
    return fitted(opened(data, given), given)


def opened(data: bytes, given: Input) -> Picture:
    """The picture in the bytes, at least as large as the pack's `[input]` wants it.

    A large JPEG is decoded straight to a half, a quarter or an eighth of its size, at least 2.4
    times what is needed. Raises UnreadableSample where the bytes cannot be opened.
    """
    return decode_small(data, shrinks=partial(_may_shrink, given))


def fitted(picture: Picture, given: Input) -> Prepared:
    """An opened picture as the pack's `[input]` wants it, and what was lost on the way."""
    colour = colour_of(picture.image.convert("RGB")) if given.colour == "grey" else None
    return Prepared(
        pixels=_fitted(picture, given),
        colour=colour,
        size_px=picture.size_px,
        notes=picture.notes,
    )


def pixels_of(data: bytes, given: Input) -> NDArray[np.uint8]:
    """The bytes of a picture as the pack's `[input]` wants them: uint8 [H, W, 3].

    As `opened` opens them; raises UnreadableSample where they cannot be.

    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> Image.new("RGB", (900, 900), (10, 20, 30)).save(file, format="PNG")
    >>> given = Input(width_px=4, height_px=2, colour="rgb", fit="crop", interpolation="bilinear")
    >>> pixels_of(file.getvalue(), given)[0, 0].tolist()
    [10, 20, 30]
    """
    return _fitted(opened(data, given), given)


def prepare(image: Image.Image, given: Input) -> NDArray[np.uint8]:
    """A picture that is decoded as the pack's `[input]` wants it: uint8 [H, W, 3].

    Normalisation is not done here: it lives in the pack's graph. Pillow's filters widen as the
    picture shrinks, so fine detail does not turn into patterns.

    >>> given = Input(width_px=4, height_px=2, colour="rgb", fit="crop", interpolation="bilinear")
    >>> prepare(Image.new("RGB", (9, 9), (10, 20, 30)), given).shape
    (2, 4, 3)
    """
    whole = (0.0, 0.0, float(image.width), float(image.height))
    return _fitted(Picture(image=image, size_px=image.size, box=whole), given)


def _may_shrink(given: Input, width: int, height: int) -> float:
    """By what a picture of that size may shrink before it is resampled."""
    least = _LEFT_TO_PILLOW.get(given.interpolation)
    if least is None:
        return 1.0
    across, down = width / given.width_px, height / given.height_px
    if given.fit == "pad":
        inner = _inner((width, height), (given.width_px, given.height_px))
        across, down = width / inner[0], height / inner[1]
    return min(across, down) / least


def _fitted(picture: Picture, given: Input) -> NDArray[np.uint8]:
    image = picture.image if picture.image.mode == "RGB" else picture.image.convert("RGB")
    if given.colour == "grey":
        image = image.convert("L").convert("RGB")
    size = (given.width_px, given.height_px)
    if image.size != size:
        how = _RESAMPLING[given.interpolation]
        if given.fit == "crop":
            image = _resized(image, size, how, box=_centre(picture.box, size))
        elif given.fit == "pad":
            inner = _resized(image, _inner(picture.size_px, size), how, box=picture.box)
            image = _padded(inner, size=size)
        else:
            image = _resized(image, size, how, box=picture.box)
    return np.array(image, dtype=np.uint8)


def _resized(
    image: Image.Image, size: tuple[int, int], how: Image.Resampling, *, box: Box
) -> Image.Image:
    """The part `box` of the picture at that size, by one pass across and one down.

    Each pass rounds, so their order shows: before its version 13 Pillow went across first whatever
    the picture, which for tall ones gives numbers a grey level apart. Here the order is that of
    Pillow 13, with which the shipped packs were measured, for all versions.
    """
    if how is Image.Resampling.NEAREST:
        return image.resize(size, how, box=box)
    left, top, right, bottom = box
    if image.height > size[1] and image.height - size[1] > 2 * (image.width - size[0]):
        down = image.resize((image.width, size[1]), how, box=(0, top, image.width, bottom))
        return down.resize(size, how, box=(left, 0, right, size[1]))
    across = image.resize((size[0], image.height), how, box=(left, 0, right, image.height))
    return across.resize(size, how, box=(0, top, size[0], bottom))


def _centre(have: Box, want: tuple[int, int]) -> Box:
    """The largest centred part of `have` with the proportions of `want`, in pixels."""
    across, down = have[2] - have[0], have[3] - have[1]
    scale = min(across / want[0], down / want[1])
    width, height = min(want[0] * scale, across), min(want[1] * scale, down)
    left, top = have[0] + (across - width) / 2, have[1] + (down - height) / 2
    return left, top, min(left + width, have[2]), min(top + height, have[3])


def _inner(have: tuple[int, int], want: tuple[int, int]) -> tuple[int, int]:
    """The size within `want` that keeps the proportions of `have`."""
    scale = min(want[0] / have[0], want[1] / have[1])
    return (
        min(max(1, round(have[0] * scale)), want[0]),
        min(max(1, round(have[1] * scale)), want[1]),
    )


def _padded(inner: Image.Image, *, size: tuple[int, int]) -> Image.Image:
    pixels = np.asarray(inner)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(each) for each in np.median(border, axis=0))
    whole = Image.new("RGB", size, (red, green, blue))
    whole.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return whole
