"""What a pack states beside its answers, fitted on samples that the network has not learnt from."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from firstread.evaluation import auc as area
from firstread.packs import Calibration, Conformal, OperatingPoint
from firstread.runtime.calibrate import probabilities

PROMISES = (0.95, 0.97, 0.98, 0.99, 0.995)
FEWEST_BEYOND = 5

Logits = NDArray[np.float32]
Truths = NDArray[np.int64]


def fit_temperature(logits: Logits, truths: Truths) -> Calibration:
    """The one temperature that makes the right labels most likely (Guo et al., ICML 2017).

    >>> logits = np.array([[4.0, 0.0]] * 3 + [[0.0, 4.0]], dtype=np.float32)
    >>> round(fit_temperature(logits, np.array([0, 0, 0, 0])).temperature, 2)
    3.64
    """

    def loss(power: float) -> float:
        chances = probabilities(logits, temperature=math.exp(power))
        return -float(np.log(np.maximum(chances[np.arange(len(truths)), truths], 1e-12)).mean())

    best = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return Calibration(method="temperature", temperature=round(math.exp(float(best.x)), 4))


def fit_conformal(
    chances: NDArray[np.float64], truths: Truths, *, coverage: float | None = None
) -> Conformal:
    """The least threshold whose finding sets hold the right label as often as `coverage` says.

    The quantile with the correction for few samples (Sadinle et al., JASA 2019; Angelopoulos and
    Bates, arXiv:2107.07511, section 1), of the very sets that a read gives: the most probable label
    is always in. Without `coverage` it is what `promised_coverage` says. Of real cells these sets
    were smaller at the same coverage than adaptive ones (docs/decisions/0014).

    >>> fit_conformal(np.array([[0.9, 0.1]] * 40), np.zeros(40, np.int64), coverage=0.95).threshold
    0.0
    """
    promised = promised_coverage(chances, truths) if coverage is None else coverage
    theirs = chances[np.arange(len(truths)), truths]
    misses = np.sort(np.where(theirs >= chances.max(1), 0.0, 1.0 - theirs))
    place = math.ceil((len(misses) + 1) * promised - 1e-9) - 1
    threshold = float(misses[place]) if place < len(misses) else 1.0
    return Conformal(
        method="lac", coverage=promised, threshold=min(1.0, math.ceil(threshold * 1e4) / 1e4)
    )


def promised_coverage(chances: NDArray[np.float64], truths: Truths) -> float:
    """What finding sets can promise and keep: 0.95, or more where first answers alone hold more.

    A set that always has its first answer in it would be right more often than it says. The next
    promise is taken only where five samples or more lie beyond it.

    >>> chances = np.array([[0.9, 0.1]] * 980 + [[0.1, 0.9]] * 20)
    >>> promised_coverage(chances, np.zeros(1000, np.int64))
    0.98
    """
    right = float((chances.argmax(1) == truths).mean())
    possible = [each for each in PROMISES if (len(truths) + 1) * (1 - each) >= FEWEST_BEYOND]
    kept = [each for each in possible if each >= right]
    return kept[0] if kept else max(possible, default=PROMISES[0])


def fit_operating_point(
    chances: NDArray[np.float64],
    truths: Truths,
    *,
    indices: Sequence[int],
    label: str,
    sensitivity: float,
    measured_on: str,
) -> OperatingPoint:
    """The highest threshold that finds at least the share `sensitivity` of a label's samples.

    `indices` are the label's place in `chances` [N, K], or those of all labels of a group, whose
    probabilities add up. It never lies above one half: what is most probable must always raise its
    alarm.
    """
    true = np.isin(truths, indices)
    among = chances[:, list(indices)].sum(1)
    scores = np.sort(among[true])
    threshold = 0.5
    if len(scores):
        lost = math.floor(len(scores) * (1 - sensitivity) + 1e-9)
        threshold = min(0.5, math.floor(float(scores[min(lost, len(scores) - 1)]) * 1e4) / 1e4)
    said = among >= threshold
    return OperatingPoint(
        label=label,
        threshold=threshold,
        sensitivity=round(float(said[true].mean()), 4) if true.any() else 0.0,
        specificity=round(float((~said[~true]).mean()), 4) if (~true).any() else 0.0,
        measured_on=f"{measured_on}, n = {len(truths)}, AUC {area(true, among):.3f}",
    )


def quantiles(distances: NDArray[np.floating]) -> tuple[float, ...]:
    """The 101 quantiles of validation distances that a familiarity score is read from."""
    found = np.quantile(np.asarray(distances, np.float64), np.linspace(0, 1, 101))
    return tuple(round(float(value), 6) for value in np.maximum.accumulate(found))
