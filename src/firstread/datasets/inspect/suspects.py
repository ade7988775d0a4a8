"""Labels that may be wrong: samples that look like another label to a reader that never saw them
(confident learning; Northcutt, Jiang and Chuang, J Artif Intell Res 70:1373, 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.dataset import Dataset

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


def find_suspects(dataset: Dataset, rows: Rows, *, together: Sequence[tuple[int, ...]]) -> Suspects:
    """Whose labels may be wrong; `rows` [N, D] describe the samples, and those of one group of
    `together` stay in one fold.

    Out-of-fold probabilities come from a softmax regression on the rows. A sample is suspect where
    another label's probability reaches what samples of that label have on average, and is the
    highest of those that do. Labels with fewer than ten samples are left out, and nothing is found
    where fewer than two labels remain.
    """
    labels = [label for label, n in _counts(dataset).items() if n >= _LEAST_OF_A_LABEL]
    if len(labels) < 2:
        return Suspects(found=(), right=None)
    kept = np.array([i for i, item in enumerate(dataset.items) if item.label in labels])
    truths = np.array([labels.index(dataset.items[i].label) for i in kept])
    folds = _folds(together, count=len(dataset.items))[kept]
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


def _folds(groups: Sequence[tuple[int, ...]], *, count: int) -> NDArray[np.int64]:
    """The fold of each item; the largest groups first, each to the fold with the fewest items."""
    together = sorted(groups, key=len, reverse=True)
    order = np.random.default_rng(0).permutation(len(together))
    folds = np.zeros(count, dtype=np.int64)
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
