"""Labels that may be wrong: samples that look like another label to a reader that never saw them
(confident learning; Northcutt, Jiang and Chuang, J Artif Intell Res 70:1373, 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.dataset import Dataset
from firstread.datasets.pictures.looks import SIDE_PX
from firstread.datasets.split import groups

Rows = NDArray[np.float64]

FOLDS = 5
_LEAST_OF_A_LABEL = 10
_DIRECTIONS = 128
_STEPS = 150
_RIDGE = 0.003


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """An item, by number, whose label may be wrong, and the label that it looks like."""

    number: int
    looks_like: str
    probability: float
    """Of what it looks like, from a fit that did not see it."""
    of_own: float
    """Of the label that it has."""


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """The suspects, the most suspect first, and how far they can be believed."""

    found: tuple[Suspect, ...]
    right: float | None
    """The share of all samples that the same fit names as they are labelled; None without one."""


def find_suspects(dataset: Dataset, rows: Rows) -> Suspects:
    """Whose labels may be wrong; `rows` [N, D] describe the samples.

    Out-of-fold probabilities come from a softmax regression on the rows; a patient and near
    duplicates stay in one fold. A sample is suspect where another label's probability reaches what
    samples of that label have on average, and is the highest of those that do. Labels with fewer
    than ten samples are left out, and nothing is found where fewer than two labels remain.
    """
    labels = [label for label, n in _counts(dataset).items() if n >= _LEAST_OF_A_LABEL]
    if len(labels) < 2:
        return Suspects(found=(), right=None)
    kept = np.array([i for i, item in enumerate(dataset.items) if item.label in labels])
    truths = np.array([labels.index(dataset.items[i].label) for i in kept])
    folds = _folds(dataset)[kept]
    chances = out_of_fold(_whitened(rows[kept]), truths, folds=folds, count=len(labels))
    own = chances[np.arange(len(kept)), truths]
    usual = np.array([chances[truths == k, k].mean() for k in range(len(labels))])
    reached = np.where(chances >= usual, chances, -1.0)
    best = reached.argmax(1)
    suspect = np.flatnonzero((reached.max(1) >= 0) & (best != truths))
    found = [
        Suspect(
            number=int(kept[row]),
            looks_like=labels[best[row]],
            probability=round(float(chances[row, best[row]]), 4),
            of_own=round(float(own[row]), 4),
        )
        for row in suspect
    ]
    found.sort(key=lambda one: (one.of_own - one.probability, one.number))
    return Suspects(found=tuple(found), right=float((chances.argmax(1) == truths).mean()))


def describe(dataset: Dataset) -> Rows:
    """Rows [N, D] that tell samples apart without any network: colours, shades and the directions
    of edges of pictures, or the measurements themselves."""
    if dataset.kind == "measurements":
        return _of_measurements(dataset)
    rgb = dataset.looks.rgb.astype(np.float64)
    count = len(rgb)
    coarse = rgb.reshape(count, 8, SIDE_PX // 8, 8, SIDE_PX // 8, 3).mean((2, 4))
    shades = np.quantile(rgb.reshape(count, -1, 3), [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98], axis=1)
    flat = [coarse.reshape(count, -1), shades.transpose(1, 0, 2).reshape(count, -1)]
    edges = _edges(dataset.looks.grey.astype(np.float64))
    return np.concatenate([*flat, _rings(rgb), edges], axis=1)


def out_of_fold(rows: Rows, truths: NDArray[np.int64], *, folds: Rows, count: int) -> Rows:
    """Probabilities [N, K] of each sample from the folds that it is not in."""
    chances = np.zeros((len(rows), count))
    for fold in range(FOLDS):
        inside = folds == fold
        weights = _fitted(rows[~inside], truths[~inside], count=count)
        chances[inside] = _softmax(rows[inside] @ weights)
    return chances


def _counts(dataset: Dataset) -> dict[str, int]:
    found = [item.label for item in dataset.items]
    return {label: found.count(label) for label in dataset.labels}


def _folds(dataset: Dataset) -> NDArray[np.int64]:
    """The fold of each item; the largest groups first, each to the fold with the fewest items."""
    together = sorted(groups(dataset), key=len, reverse=True)
    order = np.random.default_rng(0).permutation(len(together))
    folds = np.zeros(len(dataset.items), dtype=np.int64)
    filled = [0] * FOLDS
    for at in sorted(order, key=lambda number: -len(together[number])):
        fold = filled.index(min(filled))
        folds[list(together[at])] = fold
        filled[fold] += len(together[at])
    return folds


def _whitened(rows: Rows) -> Rows:
    """The rows along the directions in which they differ most, with as much spread in each, and a
    column of ones: a regression on them needs few steps."""
    spread = rows.std(0)
    kept = rows[:, spread > 1e-9]
    scaled = (kept - kept.mean(0)) / kept.std(0)
    values, vectors = np.linalg.eigh(scaled.T @ scaled / max(len(rows), 1))
    few = min(_DIRECTIONS, max(2, len(rows) // 10))
    top = np.argsort(values)[::-1][:few]
    top = top[values[top] > 1e-6 * values.max(initial=1e-12)]
    white = scaled @ vectors[:, top] / np.sqrt(values[top])
    return np.concatenate([white, np.ones((len(rows), 1))], axis=1)


def _fitted(rows: Rows, truths: NDArray[np.int64], *, count: int) -> Rows:
    """Weights [D, K] of a softmax regression, by Nesterov's accelerated descent."""
    wanted = np.eye(count)[truths]
    weights = ahead = np.zeros((rows.shape[1], count))
    for step in range(_STEPS):
        slope = rows.T @ (_softmax(rows @ ahead) - wanted) / len(rows) + _RIDGE * ahead
        # Whitened rows have no more than unit spread, so the curvature is at most a half.
        moved = ahead - slope
        ahead = moved + step / (step + 3) * (moved - weights)
        weights = moved
    return weights


def _softmax(logits: Rows) -> Rows:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), dtype=np.float64)


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


def _of_measurements(dataset: Dataset) -> Rows:
    codes: Sequence[str] = sorted({code for item in dataset.items for code, _ in item.measurements})
    table = [dict(item.measurements) for item in dataset.items]
    values = np.array(
        [[np.nan if (one := row.get(code)) is None else one for code in codes] for row in table]
    )
    missing = np.isnan(values)
    largest = np.abs(np.where(missing, 0.0, values)).max(0)
    values = values / np.where(largest > 0, largest, 1.0)  # so that no sum of them overflows
    middles = np.array(
        [np.median(c[~np.isnan(c)]) if not np.isnan(c).all() else 0 for c in values.T]
    )
    return np.concatenate([np.where(missing, middles, values), missing], axis=1)
