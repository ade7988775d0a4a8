"""How sharp, bright and rich in contrast prepared pixels are, in grey levels of 0 to 255."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


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


def measure(pixels: NDArray[np.uint8]) -> Quality:
    """The quality of prepared pixels, uint8 [H, W, 3].

    >>> measure(np.full((8, 8, 3), 90, dtype=np.uint8))
    Quality(sharpness=0.0, brightness=90.0, contrast=0.0)
    """
    # ITU-R BT.601 luma, as JPEG and Pillow's "L" have it.
    grey: NDArray[np.float32] = pixels.astype(np.float32) @ np.array(
        [0.299, 0.587, 0.114], dtype=np.float32
    )
    return Quality(
        sharpness=round(float(_laplacian(grey).std()), 4) if min(grey.shape) > 2 else 0.0,
        brightness=round(float(grey.mean()), 4),
        contrast=round(float(grey.std()), 4),
    )


def _laplacian(grey: NDArray[Any]) -> NDArray[Any]:
    centre = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return np.asarray(around - 4 * centre)
