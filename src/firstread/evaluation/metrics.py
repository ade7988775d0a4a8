"""How well answers agree with the truth: counts, shares with intervals, areas and calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""

Truths = NDArray[np.int64]
Chances = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share with its 95 % interval; all three are NaN where there was nothing to count."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class LabelFigures:
    """How one label is told from all others; `n` samples truly have it."""

    label: str
    n: int
    sensitivity: Share
    specificity: Share
    ppv: Share
    f1: float
    auc: float


def wilson(hits: int, of: int) -> Share:
    """A share with Wilson's score interval (Wilson, JASA 22:209, 1927).

    >>> wilson(9, 10)
    Share(value=0.9, low=0.5958, high=0.9821)
    """
    if of == 0:
        return Share(value=math.nan, low=math.nan, high=math.nan)
    share = hits / of
    square = Z_95 * Z_95 / of
    middle = (share + square / 2) / (1 + square)
    reach = Z_95 * math.sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    low = 0.0 if hits == 0 else max(0.0, middle - reach)
    high = 1.0 if hits == of else min(1.0, middle + reach)
    return Share(value=share, low=round(low, 4), high=round(high, 4))


def confusion(truths: Truths, answers: Truths, *, count: int) -> NDArray[np.int64]:
    """Counts [K, K]: a row for each true label, a column for each answer.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), count=2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((count, count), np.int64)
    np.add.at(counts, (truths, answers), 1)
    return counts


def auc(positive: NDArray[np.bool_], scores: Chances) -> float:
    """The area under the ROC curve: how often a positive sample scores above a negative one.

    Ties count half (Mann and Whitney; Hanley and McNeil, Radiology 143:29, 1982). NaN where one
    side is empty.

    >>> auc(np.array([True, True, False]), np.array([0.9, 0.2, 0.2]))
    0.75
    """
    above, below = int(positive.sum()), int((~positive).sum())
    if above == 0 or below == 0:
        return math.nan
    _, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(times) - (times - 1) / 2
    total = float(ranks[place][positive].sum())
    return (total - above * (above + 1) / 2) / (above * below)


def calibration_error(truths: Truths, chances: Chances, *, bins: int = 15) -> float:
    """The expected calibration error of the top label, in equal bins (Guo et al., ICML 2017).

    >>> calibration_error(np.array([0, 1]), np.array([[0.8, 0.2], [0.2, 0.8]]))
    0.2
    """
    if len(truths) == 0:
        return math.nan
    sure = chances.max(1)
    right = chances.argmax(1) == truths
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gap = 0.0
    for index in range(bins):
        here = place == index
        if here.any():
            gap += float(here.mean()) * abs(float(right[here].mean()) - float(sure[here].mean()))
    return round(gap, 12)


def of_labels(truths: Truths, chances: Chances, *, labels: Sequence[str]) -> list[LabelFigures]:
    """Each label against all others; the answer is the most probable label."""
    counts = confusion(truths, chances.argmax(1), count=len(labels))
    total = int(counts.sum())
    figures = []
    for index, label in enumerate(labels):
        hits = int(counts[index, index])
        true, said = int(counts[index].sum()), int(counts[:, index].sum())
        figures.append(
            LabelFigures(
                label=label,
                n=true,
                sensitivity=wilson(hits, true),
                specificity=wilson(total - true - said + hits, total - true),
                ppv=wilson(hits, said),
                f1=2 * hits / (true + said) if true + said else math.nan,
                auc=auc(truths == index, chances[:, index]),
            )
        )
    return figures


def bootstrap_auc(
    positive: NDArray[np.bool_], scores: Chances, *, draws: int = 500, seed: int = 0
) -> Share:
    """The area under the ROC curve with a percentile bootstrap interval, stratified by the
    truth."""
    value = auc(positive, scores)
    if math.isnan(value):
        return Share(value=value, low=value, high=value)
    rng = np.random.default_rng(seed)
    above, below = scores[positive], scores[~positive]
    found = []
    for _ in range(draws):
        drawn = np.concatenate([rng.choice(above, len(above)), rng.choice(below, len(below))])
        found.append(auc(np.arange(len(drawn)) < len(above), drawn))
    low, high = np.quantile(found, [0.025, 0.975])
    return Share(value=value, low=float(low), high=float(high))


def mean_of(values: Sequence[float]) -> float:
    """The mean of what could be measured; NaN where nothing could.

    >>> mean_of([1.0, math.nan, 0.5])
    0.75
    """
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
