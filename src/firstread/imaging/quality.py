"""How sharp, bright and rich in contrast prepared pixels are, in grey levels of 0 to 255."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EMPTY = 4.0
"""With less contrast, in grey levels, a picture shows nothing by which it could be known."""
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Three numbers in grey levels; what is enough stands in each pack."""

    sharpness: float
    """Standard deviation of the Laplacian: little changes from pixel to pixel where it is blurred
    (Pech-Pacheco et al., ICPR 2000, doi 10.1109/ICPR.2000.903548)."""
    brightness: float
    """Mean."""
    contrast: float
    """Standard deviation."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is seen on it: a lens cap, a clean slide."""
        return self.contrast < EMPTY


def measure(pixels: NDArray[np.uint8]) -> Quality:
    """The quality of prepared pixels, uint8 [H, W, 3].

    >>> measure(np.full((8, 8, 3), 90, dtype=np.uint8))
    Quality(sharpness=0.0, brightness=90.0, contrast=0.0)
    """
    height, width = pixels.shape[:2]
    # ITU-R BT.601 luma, as JPEG and Pillow's "L" have it. In one row, because NumPy is fastest so.
    grey = pixels.reshape(-1, 3).astype(np.float32) @ _LUMA
    brightness, contrast = _mean_and_spread(grey)
    sharpness = 0.0
    if min(height, width) > 2:
        sharpness = _mean_and_spread(_laplacian(grey, width=width))[1]
    return Quality(
        sharpness=round(sharpness, 4), brightness=round(brightness, 4), contrast=round(contrast, 4)
    )


def _laplacian(grey: NDArray[np.float32], *, width: int) -> NDArray[np.float32]:
    """Of every pixel that has four neighbours; `grey` holds row after row."""
    inner = grey[width + 1 : -width - 1]
    around = inner * np.float32(-4)
    around += grey[width : -width - 2]
    around += grey[width + 2 : -width]
    around += grey[1 : -2 * width - 1]
    around += grey[2 * width + 1 : -1]
    # Between two rows stand two pixels whose neighbours are in the next one: they do not count.
    rows = np.append(around, np.zeros(2, dtype=np.float32)).reshape(-1, width)
    return np.ascontiguousarray(rows[:, :-2]).reshape(-1)


def _mean_and_spread(values: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation."""
    mean = values.mean()
    apart = values - mean
    return float(mean), float(np.sqrt(apart @ apart / np.float32(len(values))))
