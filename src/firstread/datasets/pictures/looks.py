"""How every picture of a dataset looks at 32 by 32 pixels: all that comparing them needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.datasets.dataset import Dataset
from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.imaging.decode import decode_small

SIDE_PX = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """The pictures uint8 [N, 32, 32, 3], black where one cannot be opened, and why it cannot."""

    rgb: NDArray[np.uint8]
    sizes_px: tuple[tuple[int, int], ...]
    """Width and height of each whole picture; 0, 0 where it cannot be opened."""
    errors: dict[int, str]
    """By the number of the item."""

    @property
    def grey(self) -> NDArray[np.float32]:
        """The same in grey [N, 32, 32], by ITU-R BT.601 luma."""
        return self.rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)

    def only(self, numbers: Sequence[int]) -> Looks:
        """The looks of these pictures alone, in this order."""
        return Looks(
            rgb=self.rgb[list(numbers)],
            sizes_px=tuple(self.sizes_px[number] for number in numbers),
            errors={at: self.errors[n] for at, n in enumerate(numbers) if n in self.errors},
        )


def look_at(dataset: Dataset, *, step: Callable[[], None] = lambda: None) -> Looks:
    """Decode every picture once; `step` is called after each."""
    rgb = np.zeros((len(dataset.items), SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    sizes: list[tuple[int, int]] = []
    errors: dict[int, str] = {}
    for number, item in enumerate(dataset.items):
        try:
            picture = decode_small(dataset.data(item), shrinks=_may_shrink)
        except (UnreadableSample, BadDataset) as error:
            errors[number] = str(error)
            sizes.append((0, 0))
        else:
            rgb[number] = _small(picture.image)
            sizes.append(picture.size_px)
        step()
    return Looks(rgb=rgb, sizes_px=tuple(sizes), errors=errors)


def _may_shrink(width: int, height: int) -> float:
    return min(width, height) / (2 * SIDE_PX)


def _small(image: Image.Image) -> NDArray[np.uint8]:
    shrinks = min(image.size) >= SIDE_PX
    way = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(image.resize((SIDE_PX, SIDE_PX), way))
