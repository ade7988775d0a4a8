"""AllDS2020's eight augmentations: each picture becomes the same copies, by fixed numbers.

The numbers are those in the published code of ALL Detection System 2020 (MIT, March 2020), which
names as its source Thanh et al., Leukemia Blood Cell Image Classification Using Convolutional
Neural Network, International Journal of Computer Theory and Engineering 10, 2018. They are pixels
of a picture of 100x100, and what they do to one is part of what is reproduced: the translation
leaves a corner of 16x44 pixels, the blur runs over the three colours as well, the shear fills with
black.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Picture = NDArray[np.uint8]

# The published (144, 159, 162) is blue, green, red, as OpenCV orders colours; here red comes first.
BORDER = (162, 159, 144)
BLUR_SIGMA_PX = 5.11
RIGHT_PX, DOWN_PX = 84, 56
SHEAR_RADIANS = 0.5
ROTATED_SCALE = 0.70
KINDS = ("original", "grey", "equalised", "upside down", "mirrored", "blurred", "moved", "sheared")
_LUMA = np.array([0.299, 0.587, 0.114])


def copies(picture: Picture, *, rotations: int, by: np.random.Generator) -> NDArray[np.uint8]:
    """The picture [H, W, 3] eight ways by fixed numbers, and `rotations` ways by random angles.

    The answer is [8 + R, H, W, 3]: the eight in the order of `KINDS`, the picture itself first;
    angles are whole degrees from -180 to 180. With ten of them, 88 pictures become the 1584 of the
    published system.

    >>> grey = np.full((100, 100, 3), 90, np.uint8)
    >>> copies(grey, rotations=10, by=np.random.default_rng(0)).shape
    (18, 100, 100, 3)
    """
    made = [
        picture,
        grey(picture),
        equalised(picture),
        picture[::-1],
        picture[:, ::-1],
        blurred(picture),
        moved(picture),
        sheared(picture),
    ]
    angles = by.integers(-180, 181, rotations)
    return np.stack([*made, *(rotated(picture, degrees=int(angle)) for angle in angles)])


def grey(picture: Picture) -> Picture:
    """The luma of ITU-R BT.601 in all three colours."""
    return np.repeat(_luma(picture)[..., np.newaxis], 3, axis=2)


def equalised(picture: Picture) -> Picture:
    """The luma's histogram made even, the colour differences (YUV) as they were."""
    luma = _luma(picture)
    counts = np.bincount(luma.ravel(), minlength=256)
    below = np.cumsum(counts)
    least = int(below[np.flatnonzero(counts)[0]])
    spread = max(1, luma.size - least)
    table = np.clip(np.rint((below - least) * 255.0 / spread), 0, 255)
    # Red minus luma, and blue minus luma, carry the colour: they are kept, and all channels follow.
    return _bytes(picture + (table[luma] - luma)[..., np.newaxis])


def blurred(picture: Picture) -> Picture:
    """Gaussian blur over height, width and colour: nearly grey, as the published code makes it."""
    soft: Picture = ndimage.gaussian_filter(picture, sigma=BLUR_SIGMA_PX)
    return soft


def moved(picture: Picture) -> Picture:
    """Shifted to the right and down, the border's colour where nothing is left."""
    empty = np.empty_like(picture)
    empty[:] = BORDER
    height, width = picture.shape[:2]
    if height > DOWN_PX and width > RIGHT_PX:
        empty[DOWN_PX:, RIGHT_PX:] = picture[: height - DOWN_PX, : width - RIGHT_PX]
    return empty


def sheared(picture: Picture) -> Picture:
    """Sheared by half a radian as scikit-image did in 2020, black where nothing is left."""
    # From a place (row, column) of the copy to its place in the picture.
    back = np.array([[math.cos(SHEAR_RADIANS), 0.0], [-math.sin(SHEAR_RADIANS), 1.0]])
    return _resampled(picture, back, offset=(0.0, 0.0), border=(0, 0, 0))


def rotated(picture: Picture, *, degrees: int) -> Picture:
    """Turned counter-clockwise about its middle and made smaller, in the border's colour."""
    middle = np.array([picture.shape[0] / 2, picture.shape[1] / 2])
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    back = np.array([[cos, sin], [-sin, cos]]) / ROTATED_SCALE
    offset = middle - back @ middle
    return _resampled(picture, back, offset=(offset[0], offset[1]), border=BORDER)


def _luma(picture: Picture) -> Picture:
    return _bytes(picture @ _LUMA)


def _bytes(values: NDArray[Any]) -> Picture:
    rounded: Picture = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded


def _resampled(
    picture: Picture,
    back: NDArray[np.float64],
    *,
    offset: tuple[float, float],
    border: tuple[int, int, int],
) -> Picture:
    planes = [
        ndimage.affine_transform(
            picture[..., channel].astype(np.float32),
            back,
            offset=offset,
            order=1,
            mode="grid-constant",
            cval=border[channel],
        )
        for channel in range(3)
    ]
    return _bytes(np.stack(planes, axis=2))
