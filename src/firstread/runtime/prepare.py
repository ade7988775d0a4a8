"""A picture made to fit a network: the one recipe of training, command line, clinic and edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.packs import Input

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def prepare(image: Image.Image, given: Input) -> NDArray[np.uint8]:
    """The picture as the pack's `[input]` wants it: uint8 [H, W, 3].

    Normalisation is not done here: it lives in the pack's graph. Pillow's filters widen as the
    picture shrinks, so fine detail does not turn into patterns.

    >>> given = Input(width_px=4, height_px=2, colour="rgb", fit="crop", interpolation="bilinear")
    >>> prepare(Image.new("RGB", (9, 9), (10, 20, 30)), given).shape
    (2, 4, 3)
    """
    picture = image if image.mode == "RGB" else image.convert("RGB")
    if given.colour == "grey":
        picture = picture.convert("L").convert("RGB")
    size = (given.width_px, given.height_px)
    if picture.size != size:
        how = _RESAMPLING[given.interpolation]
        if given.fit == "crop":
            picture = picture.resize(size, how, box=_centre(picture.size, size))
        elif given.fit == "pad":
            picture = _padded(picture, size=size, how=how)
        else:
            picture = picture.resize(size, how)
    return np.array(picture, dtype=np.uint8)


def _centre(have: tuple[int, int], want: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest centred part of `have` with the proportions of `want`, in pixels."""
    scale = min(have[0] / want[0], have[1] / want[1])
    width, height = min(want[0] * scale, have[0]), min(want[1] * scale, have[1])
    left, top = (have[0] - width) / 2, (have[1] - height) / 2
    return left, top, min(left + width, have[0]), min(top + height, have[1])


def _padded(picture: Image.Image, *, size: tuple[int, int], how: int) -> Image.Image:
    scale = min(size[0] / picture.width, size[1] / picture.height)
    width = min(max(1, round(picture.width * scale)), size[0])
    height = min(max(1, round(picture.height * scale)), size[1])
    inner = picture.resize((width, height), Image.Resampling(how))
    pixels = np.asarray(inner)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(each) for each in np.median(border, axis=0))
    whole = Image.new("RGB", size, (red, green, blue))
    whole.paste(inner, ((size[0] - width) // 2, (size[1] - height) // 2))
    return whole
