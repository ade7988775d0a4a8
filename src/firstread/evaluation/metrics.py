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
    npv: Share
    f1: float
    auc: float


def wilson(hits: int, of: int) -> Share:
    """A share with Wilson's score interval (Wilson, JASA 22:209, 1927).

    >>> wilson(9, 10)
    Share(value=0.9, low=0.5958, high=0.9821)
    """
    if of == 0:
        return Share(value=math.nan, low=math.nan, high=math.nan)
    low, high = score_interval(hits / of, of)
    return Share(value=hits / of, low=low, high=high)


def score_interval(share: float, count: float) -> tuple[float, float]:
    """Wilson's score interval of a share among `count`, which need not be whole.

    >>> score_interval(0.9, 10)
    (0.5958, 0.9821)
    """
    square = Z_95 * Z_95 / count
    middle = (share + square / 2) / (1 + square)
    reach = Z_95 * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    low = 0.0 if share == 0 else max(0.0, middle - reach)
    high = 1.0 if share == 1 else min(1.0, middle + reach)
    return round(low, 4), round(high, 4)


def share_of(hits: NDArray[np.bool_], *, clusters: NDArray[np.int64] | None = None) -> Share:
    """The share of `hits` [N] that are true; with `clusters` [N] as wide as patients make it.

    Samples of one patient are alike, so they count as fewer: Wilson's interval with the effective
    number, n over the design effect (Korn and Graubard, Surv Methodol 24:193, 1998). Where all
    are alike nothing is known of the effect, and each patient counts once.

    >>> share_of(np.array([True, True, False, False]))
    Share(value=0.5, low=0.15, high=0.85)
    >>> share_of(np.array([True, True, False, False]), clusters=np.array([0, 0, 1, 1]))
    Share(value=0.5, low=0.0546, high=0.9454)
    """
    total = len(hits)
    if clusters is None or total == 0:
        return wilson(int(hits.sum()), total)
    share = float(hits.mean())
    units, place = np.unique(clusters, return_inverse=True)
    beyond = np.bincount(place, hits - share)
    spread = float(beyond @ beyond) / total**2 * len(units) / max(1, len(units) - 1)
    alike = len(units) if share in (0.0, 1.0) else total
    effective = share * (1 - share) / spread if spread > 1e-12 else alike
    low, high = score_interval(share, min(max(effective, 1.0), total))
    return Share(value=share, low=low, high=high)


def confusion(truths: Truths, answers: Truths, *, count: int) -> NDArray[np.int64]:
    """Counts [K, K]: a row for each true label, a column for each answer.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), count=2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((count, count), np.int64)
    np.add.at(counts, (truths, answers), 1)
    return counts


def among_first(truths: Truths, chances: Chances, *, count: int) -> NDArray[np.bool_]:
    """[N]: whether the true label is among the `count` most probable of `chances` [N, K].

    Of labels that are as probable the pack's first goes first, as the answer does.

    >>> among_first(np.array([2, 2]), np.array([[0.5, 0.3, 0.2], [0.4, 0.2, 0.4]]), count=2)
    array([False,  True])
    """
    own = np.take_along_axis(chances, truths[:, np.newaxis], axis=1)
    before = np.arange(chances.shape[1]) < truths[:, np.newaxis]
    ahead = (chances > own) | ((chances == own) & before)
    return np.asarray(ahead.sum(1) < count)


def auc(positive: NDArray[np.bool_], scores: Chances) -> float:
    """The area under the ROC curve: how often a positive sample scores above a negative one.

    Ties count half (Mann and Whitney; Hanley and McNeil, Radiology 143:29, 1982). NaN where one
    side is empty.

    >>> auc(np.array([True, True, False]), np.array([0.9, 0.2, 0.2]))
    0.75
    """
    return area_of_ranks(positive, midranks(scores))


def midranks(scores: Chances) -> Chances:
    """The rank of each score [N] from 1 on; ties share the mean of theirs."""
    _, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(times) - (times - 1) / 2)[place])


def area_of_ranks(positive: NDArray[np.bool_], ranks: Chances) -> float:
    """The area under the ROC curve of samples of these ranks [N]; NaN where one side is empty."""
    above, below = int(positive.sum()), int((~positive).sum())
    if above == 0 or below == 0:
        return math.nan
    return float(ranks[positive].sum() - above * (above + 1) / 2) / (above * below)


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


def of_labels(
    truths: Truths,
    chances: Chances,
    *,
    labels: Sequence[str],
    clusters: NDArray[np.int64] | None = None,
) -> list[LabelFigures]:
    """Each label against all others; the answer is the most probable label.

    `truths` [N] are places in `labels`, `chances` [N, K] the probabilities. Intervals are Wilson's;
    with `clusters` [N] as wide as patients make them.

    >>> chances = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    >>> found = of_labels(np.array([0, 0, 1]), chances, labels=["well", "ill"])
    >>> [(each.label, each.n, each.sensitivity.value) for each in found]
    [('well', 2, 0.5), ('ill', 1, 1.0)]
    """
    answers = chances.argmax(1)
    figures = []
    for index, label in enumerate(labels):
        true, said = truths == index, answers == index
        right = true == said

        def among(chosen: NDArray[np.bool_], right: NDArray[np.bool_] = right) -> Share:
            return share_of(right[chosen], clusters=None if clusters is None else clusters[chosen])

        hits, either = int((true & said).sum()), int(true.sum() + said.sum())
        figures.append(
            LabelFigures(
                label=label,
                n=int(true.sum()),
                sensitivity=among(true),
                specificity=among(~true),
                ppv=among(said),
                npv=among(~said),
                f1=2 * hits / either if either else math.nan,
                auc=auc(true, chances[:, index]),
            )
        )
    return figures


def mean_of(values: Sequence[float]) -> float:
    """The mean of what could be measured; NaN where nothing could.

    >>> mean_of([1.0, math.nan, 0.5])
    0.75
    """
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
