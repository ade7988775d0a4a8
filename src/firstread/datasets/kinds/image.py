"""Pictures are decoded once, small, and compared by what they show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.dataset import Dataset
from firstread.datasets.kinds import KindOfSamples, Seen
from firstread.datasets.pictures.looks import Looks, look_at
from firstread.datasets.pictures.near import NearDuplicates, find_near_duplicates
from firstread.datasets.pictures.rows import rows_of
from firstread.imaging import thumbnail

_SIDE_PX = 112


def _look(dataset: Dataset, *, step: Callable[[], None] = lambda: None) -> Seen:
    looks = look_at(dataset, step=step)
    return Seen(errors=looks.errors, looks=looks)


def _looks(seen: Seen) -> Looks:
    if seen.looks is None:
        raise ValueError("Pictures are compared after they were looked at.")
    return seen.looks


def _near(seen: Seen) -> NearDuplicates:
    return find_near_duplicates(_looks(seen).grey)


def _describe(dataset: Dataset, seen: Seen) -> NDArray[np.float64]:  # noqa: ARG001  as every kind
    return rows_of(_looks(seen))


def _thumbnail(data: bytes) -> bytes:
    return thumbnail(data, max_side_px=_SIDE_PX)


KIND = KindOfSamples(
    look=_look,
    one="picture",
    near=_near,
    describe=_describe,
    told_apart_by="colours, shades and edges",
    thumbnail=_thumbnail,
)
