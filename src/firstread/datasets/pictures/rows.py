"""Pictures as rows of numbers that tell them apart without any network: colours, shades, edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.pictures.looks import SIDE_PX, Looks

Rows = NDArray[np.float64]


def rows_of(looks: Looks) -> Rows:
    """Rows [N, D]: colours and shades, also in rings round the middle, and directions of edges."""
    rgb = looks.rgb.astype(np.float64)
    count = len(rgb)
    coarse = rgb.reshape(count, 8, SIDE_PX // 8, 8, SIDE_PX // 8, 3).mean((2, 4))
    shades = np.quantile(rgb.reshape(count, -1, 3), [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98], axis=1)
    flat = [coarse.reshape(count, -1), shades.transpose(1, 0, 2).reshape(count, -1)]
    edges = _edges(looks.grey.astype(np.float64))
    return np.concatenate([*flat, _rings(rgb), edges], axis=1)


def _rings(rgb: Rows) -> Rows:
    """Mean and spread of the colours in rings round the middle: a cell may lie any way round."""
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX] - (SIDE_PX - 1) / 2
    ring = np.minimum(np.hypot(rows, columns) / 2.3, 8).astype(np.int64)
    inside = [rgb[:, ring == each] for each in range(9)]
    return np.concatenate([part for one in inside for part in (one.mean(1), one.std(1))], axis=1)


def _edges(grey: Rows) -> Rows:
    """How strong edges of eight directions are in each of 4 by 4 fields [N, 128] (Dalal and Triggs,
    CVPR 2005)."""
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    angle = np.arctan2(down, right) % np.pi
    direction = np.minimum((angle / np.pi * 8).astype(np.int64), 7)
    fields = [
        np.where(direction == each, strength, 0.0)
        .reshape(len(grey), 4, SIDE_PX // 4, 4, SIDE_PX // 4)
        .mean((2, 4))
        .reshape(len(grey), -1)
        for each in range(8)
    ]
    return np.asarray(np.sqrt(np.concatenate(fields, axis=1)), dtype=np.float64)
