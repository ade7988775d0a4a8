"""How a prepared picture looks, as one row of numbers: colour, light, detail and layout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_PARTS = 4
"""The layout is told in so many parts across and down."""
_SECTORS = 8
_SHARES = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])
_LEVELS = 32.0
"""Grey levels are divided by this, so that all numbers of the row are of about one size."""
_NOISE = 0.3
"""Detail below this many grey levels is rounding: it is added before the logarithm."""
_BLACK = 2.0
"""Grey levels that are added before a logarithm of light, so that black is no abyss."""
_LOOKED_AT_PX = 32


def appearance(
    pixels: NDArray[np.uint8], *, sharpness: float, colour: float | None = None
) -> NDArray[np.float64]:
    """Fifty-five numbers of prepared pixels, uint8 [H, W, 3]; one more where `colour` is given.

    `sharpness` is what `firstread.imaging.quality` measured on the same pixels. `colour` is how
    much colour the picture had before it was made grey, as `colour_of` says.

    >>> appearance(np.full((8, 8, 3), 64, dtype=np.uint8), sharpness=0.0)[:3].tolist()
    [2.0, 2.0, 2.0]
    """
    # Halved first: what is fine shows in `sharpness`, and all else costs a quarter.
    halved = _halved(pixels.astype(np.uint16))
    grey = (halved.reshape(-1, 3) @ _LUMA).reshape(halved.shape[:2])
    quarter = _halved(grey)
    scales = (grey, quarter, _halved(quarter))
    detail = np.log(np.array([sharpness, *(_roughness(each) for each in scales)]) + _NOISE)
    row = np.concatenate(
        [_colours(halved), _hues(halved), _light(quarter), _edges(grey), detail, _layout(quarter)]
    )
    # A grey scan saved as JPEG in colour has a level or two of it: a 255th counts little.
    return np.asarray(row) if colour is None else np.append(row, colour / 255.0)


def colour_of(image: Image.Image) -> float:
    """How far the channels of an RGB picture lie apart, in grey levels; 0 where it is grey.

    >>> colour_of(Image.new("RGB", (9, 9), (200, 180, 150)))
    50.0
    """
    few = image.resize((_LOOKED_AT_PX, _LOOKED_AT_PX), Image.Resampling.NEAREST)
    values = np.asarray(few, dtype=np.float32)
    return float((values.max(2) - values.min(2)).mean())


def _halved(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """The mean of every two by two; a side of one pixel stays as it is."""
    height, width = values.shape[:2]
    if height > 1:
        values = values[0 : height - 1 : 2] + values[1:height:2]  # type: ignore[operator]  # NumPy widens
    if width > 1:
        values = values[:, 0 : width - 1 : 2] + values[:, 1:width:2]  # type: ignore[operator]  # NumPy widens
    parts = (2 if height > 1 else 1) * (2 if width > 1 else 1)
    return values.astype(np.float32) * np.float32(1 / parts)


def _colours(picture: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean and spread of each channel, and how the channels go together."""
    flat = picture.reshape(-1, 3)
    mean = flat.mean(axis=0)
    apart = flat - mean
    together = (apart.T @ apart).astype(np.float64) / len(flat)
    spread = np.sqrt(np.diag(together) + 1.0)
    pairs = together[[0, 1, 0], [1, 2, 2]] / (spread[[0, 1, 0]] * spread[[1, 2, 2]])
    return np.concatenate([mean / _LEVELS, np.log(spread), pairs])


def _hues(picture: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much colour there is towards each of eight hues, in all, and how unevenly."""
    few = picture[::2, ::2].reshape(-1, 3)
    red, green, blue = few[:, 0], few[:, 1], few[:, 2]
    across = (red - green) * np.float32(0.75**0.5)
    along = (red + green) * np.float32(0.5) - blue
    strength = np.sqrt(across * across + along * along)
    turn = (np.arctan2(along, across) + np.float32(np.pi)) * np.float32(_SECTORS / 2 / np.pi)
    sector = turn.astype(np.int64) % _SECTORS
    each = np.bincount(sector, weights=strength, minlength=_SECTORS) / len(few)
    return np.asarray(np.log1p(np.append(each, [strength.mean(), strength.std()])))


def _light(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """From the darkest to the brightest: seven quantiles, and their logarithms."""
    ordered = np.sort(grey, axis=None)
    marks = ordered[(_SHARES * (len(ordered) - 1)).astype(np.int64)]
    return np.concatenate([marks / _LEVELS, np.log(marks + _BLACK)])


def _edges(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """Whether edges stand rather than lie, and how many there are."""
    across = float(np.abs(grey[:, 1:] - grey[:, :-1]).mean()) if grey.shape[1] > 1 else 0.0
    down = float(np.abs(grey[1:] - grey[:-1]).mean()) if grey.shape[0] > 1 else 0.0
    ways = np.log(across + _NOISE) - np.log(down + _NOISE)
    return np.array([ways, np.log(across + down + _NOISE)])


def _roughness(grey: NDArray[np.float32]) -> float:
    """Standard deviation of the Laplacian, as `firstread.imaging.quality` has it."""
    if min(grey.shape) < 3:
        return 0.0
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    around -= 4 * grey[1:-1, 1:-1]
    return float(around.std())


def _layout(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """How bright each of four by four parts is."""
    rows, columns = (np.arange(_PARTS) * side // _PARTS for side in grey.shape)
    sums = np.add.reduceat(np.add.reduceat(grey, rows, axis=0), columns, axis=1)
    high = np.maximum(np.diff(np.append(rows, grey.shape[0])), 1)
    wide = np.maximum(np.diff(np.append(columns, grey.shape[1])), 1)
    return np.asarray((sums / np.outer(high, wide)).ravel() / _LEVELS)
