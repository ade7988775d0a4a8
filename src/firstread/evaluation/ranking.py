"""How well a probability puts those who have a finding above those who have not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation.metrics import Z_95, Share, area_of_ranks, midranks, score_interval
from firstread.evaluation.resample import Clusters

Positive = NDArray[np.bool_]
Scores = NDArray[np.float64]
Weights = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """The counts at every threshold, strictest first: [B, U] for B weightings, U scores."""

    thresholds: Scores
    found: Weights
    """How many with the finding lie at or above the threshold."""
    false: Weights
    """How many without it do."""

    @property
    def sensitivity(self) -> Weights:
        """[B, U]"""
        return _over(self.found, self.found[:, -1:])

    @property
    def specificity(self) -> Weights:
        """[B, U]"""
        return 1 - _over(self.false, self.false[:, -1:])

    def area(self) -> Weights:
        """[B]: the area under the ROC curve, ties counted half."""
        above = np.diff(self.false, axis=1, prepend=0.0)
        middle = self.found - np.diff(self.found, axis=1, prepend=0.0) / 2
        return _over((above * middle).sum(1), self.found[:, -1] * self.false[:, -1])

    def average_precision(self) -> Weights:
        """[B]: precision at each threshold, weighted by the sensitivity that it adds."""
        precision = np.nan_to_num(_over(self.found, self.found + self.false))
        added = np.diff(self.found, axis=1, prepend=0.0)
        return _over((added * precision).sum(1), self.found[:, -1])

    def sensitivity_at(self, specificity: float) -> Weights:
        """[B]: the best sensitivity of a threshold that spares at least that share."""
        allowed = self.specificity >= specificity - 1e-12
        return np.asarray(np.where(allowed, self.sensitivity, 0.0).max(1))

    def specificity_at(self, sensitivity: float) -> Weights:
        """[B]: the best specificity of a threshold that finds at least that share."""
        enough = self.sensitivity >= sensitivity - 1e-12
        return np.asarray(np.where(enough, self.specificity, 0.0).max(1))


def _over(part: Weights, whole: Weights) -> Weights:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def curve(
    positive: Positive,
    scores: Scores,
    weights: Weights | None = None,
    *,
    clusters: Clusters | None = None,
) -> Curve:
    """The curve of `scores` [N], for each row of `weights` [B, units]; one of ones without them.

    Units are the samples, or with `clusters` the patients.

    >>> whole = curve(np.array([True, True, False]), np.array([0.9, 0.2, 0.2]))
    >>> whole.area().tolist(), whole.thresholds.tolist()
    ([0.75], [0.9, 0.2])
    """
    order = np.argsort(-scores, kind="stable")
    ranked, truly = scores[order], positive[order]
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    if weights is not None and clusters is not None:
        steps = np.cumsum(np.append(True, ranked[1:] != ranked[:-1])) - 1
        return _by_patient(ranked[first], truly, weights, of=clusters[order], steps=steps)
    times = np.ones((1, len(scores))) if weights is None else weights[:, order]
    found = np.add.reduceat(times * truly, first, axis=1)
    all_there = np.add.reduceat(times, first, axis=1)
    return Curve(
        thresholds=ranked[first],
        found=np.cumsum(found, axis=1),
        false=np.cumsum(all_there - found, axis=1),
    )


def _by_patient(
    thresholds: Scores, truly: Positive, weights: Weights, *, of: Clusters, steps: Clusters
) -> Curve:
    """Each patient's counts at each score first: far fewer numbers than samples to weigh."""
    units, count = weights.shape[1], len(thresholds)
    place = of * count + steps
    counts = [
        np.bincount(place[side], minlength=units * count).reshape(units, count).astype(np.float64)
        for side in (truly, ~truly)
    ]
    found, false = (np.cumsum(weights @ each, axis=1) for each in counts)
    return Curve(thresholds=thresholds, found=found, false=false)


def coarse(scores: Scores, *, steps: int = 1000) -> Scores:
    """The scores [N] in at most about `steps` values, in their order and evenly filled.

    Resamples say how far a figure may be off, to its second digit: for that no more are needed.

    >>> coarse(np.array([0.3, 0.1, 0.2]), steps=2).tolist()
    [1.0, 0.0, 0.0]
    """
    if len(scores) <= steps:
        return scores
    _, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    before = np.cumsum(times) - times
    return np.asarray((before * steps // len(scores))[place], np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Placements:
    """DeLong's structural components of one area: [M] of those with, [N] of those without."""

    area: float
    of_positive: Scores
    of_negative: Scores


def placements(positive: Positive, scores: Scores) -> Placements | None:
    """The share of the other side that each sample is on the right side of; None of one side only.

    By midranks, in the time of a sort: Sun and Xu, IEEE Signal Process. Lett. 21:1389, 2014.

    >>> placements(np.array([True, True, False]), np.array([0.9, 0.2, 0.2])).area
    0.75
    """
    above, below = scores[positive], scores[~positive]
    if not len(above) or not len(below):
        return None
    among = midranks(scores)
    of_positive = (among[positive] - midranks(above)) / len(below)
    of_negative = 1 - (among[~positive] - midranks(below)) / len(above)
    return Placements(
        area=area_of_ranks(positive, among), of_positive=of_positive, of_negative=of_negative
    )


def covariance(
    one: Placements, other: Placements, *, positive: Positive, clusters: Clusters | None
) -> float:
    """The covariance of two areas on the same samples; of one with itself its variance.

    DeLong, DeLong and Clarke-Pearson, Biometrics 44:837, 1988; where several samples are one
    patient's, Obuchowski, Biometrics 53:567, 1997. NaN where either side is a single unit.
    """
    have, lack = int(positive.sum()), int((~positive).sum())
    if clusters is None:
        if min(have, lack) < 2:
            return math.nan
        return float(
            np.cov(one.of_positive, other.of_positive)[0, 1] / have
            + np.cov(one.of_negative, other.of_negative)[0, 1] / lack
        )
    with_it, without = clusters[positive], clusters[~positive]
    units = int(clusters.max()) + 1
    here, there = len(np.unique(with_it)), len(np.unique(without))
    if min(here, there) < 2:
        return math.nan

    def sums(each: Placements) -> tuple[Scores, Scores]:
        return (
            _sums(with_it, each.of_positive - each.area, units),
            _sums(without, each.of_negative - each.area, units),
        )

    (a_with, a_without), (b_with, b_without) = sums(one), sums(other)
    both = units / (units - 1) * (a_with @ b_without + a_without @ b_with)
    return float(
        here / (here - 1) * (a_with @ b_with) / have**2
        + there / (there - 1) * (a_without @ b_without) / lack**2
        + both / (have * lack)
    )


def _sums(clusters: Clusters, values: Scores, units: int) -> Scores:
    return np.asarray(np.bincount(clusters, values, units), np.float64)


def area_with_interval(
    positive: Positive, scores: Scores, *, clusters: Clusters | None = None
) -> Share:
    """The area under the ROC curve with DeLong's 95 % interval, on the logit scale.

    On the logit scale the interval stays below 1 and keeps what it promises near it (Qin and
    Hotilovac, Stat Methods Med Res 17:207, 2008). Where nothing overlaps there is no variance to
    see: then it is Wilson's, as if the smaller side were that many right answers.

    >>> area_with_interval(np.arange(40) % 3 == 0, np.arange(40.0) % 3 * -1)
    Share(value=1.0, low=0.7847, high=1.0)
    """
    found = placements(positive, scores)
    if found is None:
        return Share(value=math.nan, low=math.nan, high=math.nan)
    spread = covariance(found, found, positive=positive, clusters=clusters)
    fewest = min(_units(side, clusters) for side in (positive, ~positive))
    return _on_logits(found.area, spread, fewest=fewest)


def _on_logits(area: float, spread: float, *, fewest: int) -> Share:
    if not 0 < area < 1 or not spread > 0:
        low, high = score_interval(area, fewest)
        return Share(value=area, low=low, high=high)
    reach = Z_95 * math.sqrt(spread) / (area * (1 - area))
    middle = math.log(area / (1 - area))
    low, high = (1 / (1 + math.exp(-(middle + side * reach))) for side in (-1, 1))
    return Share(value=area, low=round(low, 4), high=round(high, 4))


def _units(side: Positive, clusters: Clusters | None) -> int:
    return int(side.sum()) if clusters is None else len(np.unique(clusters[side]))


def mean_area(
    sides: Sequence[tuple[Positive, Scores]], *, clusters: Clusters | None = None
) -> Share:
    """The mean of several areas on the same samples, with its 95 % interval on the logit scale.

    The areas share samples, so what one sample (or patient) adds to all of them is summed before
    it is squared (Hampel's influence; for one area it is DeLong's variance). Sides of which one is
    empty are left out.

    >>> mean_area([(np.array([True, False]), np.array([0.9, 0.1]))]).value
    1.0
    """
    known = [
        (positive, found)
        for positive, scores in sides
        if (found := placements(positive, scores)) is not None
    ]
    if not known:
        return Share(value=math.nan, low=math.nan, high=math.nan)
    influence = np.zeros(len(known[0][0]))
    for positive, found in known:
        influence[positive] += (found.of_positive - found.area) / positive.sum()
        influence[~positive] += (found.of_negative - found.area) / (~positive).sum()
    influence /= len(known)
    area = float(np.mean([found.area for _, found in known]))
    if clusters is not None:
        influence = _sums(clusters, influence, int(clusters.max()) + 1)
    spread = float(influence @ influence) * len(influence) / max(1, len(influence) - 1)
    fewest = min(min(_units(p, clusters), _units(~p, clusters)) for p, _ in known)
    return _on_logits(area, spread, fewest=fewest)
