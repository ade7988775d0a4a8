"""Figures of merit of one run, and what several runs with other seeds say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from firstread.evaluation import auc


@dataclass(frozen=True, kw_only=True)
class Merit:
    """The figures of merit that ALL-IDB asks for, and those that AllDS2020 printed beside them.

    `recall` is the sensitivity. AllDS2020 counted precision and recall over both outputs of its
    softmax at once, where each of them is the accuracy; here both are of the positive label.
    """

    n: int
    tp: int
    fp: int
    tn: int
    fn: int
    accuracy: float
    loss: float
    precision: float
    recall: float
    specificity: float
    misclassified: float
    auc: float


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over runs with its 95 % interval by Student's t; of one run there is no interval."""

    mean: float
    low: float
    high: float
    runs: int


def merit(truths: NDArray[np.int64], chances: NDArray[np.float64], *, positive: int = 1) -> Merit:
    """The figures of answers [N, K] to truths [N]; what has no samples to be counted on is NaN.

    >>> chances = np.array([[0.2, 0.8], [0.6, 0.4], [0.9, 0.1], [0.7, 0.3]])
    >>> found = merit(np.array([1, 1, 0, 0]), chances)
    >>> found.accuracy, found.recall, found.specificity, found.precision, found.auc
    (0.75, 0.5, 1.0, 1.0, 1.0)
    """
    said, true = chances.argmax(1) == positive, truths == positive
    tp, fp = int((said & true).sum()), int((said & ~true).sum())
    tn, fn = int((~said & ~true).sum()), int((~said & true).sum())
    right = chances[np.arange(len(truths)), truths]
    wrong = float((chances.argmax(1) != truths).mean())
    return Merit(
        n=len(truths),
        tp=tp,
        fp=fp,
        tn=tn,
        fn=fn,
        accuracy=1 - wrong,
        loss=float(-np.log(np.maximum(right, 1e-7)).mean()),
        precision=_share(tp, tp + fp),
        recall=_share(tp, tp + fn),
        specificity=_share(tn, tn + fp),
        misclassified=wrong,
        auc=auc(true, chances[:, positive]),
    )


def _share(hits: int, of: int) -> float:
    return hits / of if of else math.nan


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean and 95 % interval of runs that differ by their seed: mean ± t(0.975, n - 1) s / √n.

    It says how much the seed (and the split that it draws) matters, nothing of other laboratories.
    Runs without the figure are left out.

    >>> found = mean_interval([0.9, 0.8, 0.85])
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)
    (0.85, 0.726, 0.974)
    """
    known = np.array([value for value in values if not math.isnan(value)])
    if len(known) == 0:
        return Interval(mean=math.nan, low=math.nan, high=math.nan, runs=0)
    mean = float(known.mean())
    if len(known) == 1:
        return Interval(mean=mean, low=math.nan, high=math.nan, runs=1)
    reach = float(stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / math.sqrt(len(known)))
    return Interval(mean=mean, low=mean - reach, high=mean + reach, runs=len(known))


def summary(merits: Sequence[Merit]) -> dict[str, Interval]:
    """Every figure of several runs by its name, in the order of `Merit`, counts left out."""
    tables = [asdict(each) for each in merits]
    counts = ("n", "tp", "fp", "tn", "fn")
    return {
        name: mean_interval([float(table[name]) for table in tables])
        for name in tables[0]
        if name not in counts
    }
