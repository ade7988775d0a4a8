"""What all answers to a set come to, for the set itself or for many resamples of it at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation.resample import Clusters

Truths = NDArray[np.int64]
Chances = NDArray[np.float64]
Weights = NDArray[np.float64]
Figures = dict[str, NDArray[np.float64]]

BINS = 15
_SINGLE = 6
"""Sums of one number each; those with a number a label follow, and then the gaps of the bins."""
_LEAST = 1e-15
"""A probability of 0 for what is true costs as much as this, so that the log loss stays finite."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """What each unit, a sample or a patient, adds to the sums that every overall figure is of.

    The sums of a resample are one product of matrices, however many figures there are.
    """

    sums: Chances
    """[units, M]"""
    count: int
    """K, the number of labels."""
    bins: tuple[int, int]
    """How many bins each of the calibration errors has."""
    ordered: bool


def terms_of(
    truths: Truths,
    chances: Chances,
    *,
    sets: NDArray[np.bool_],
    given: Truths | None = None,
    ordered: bool = False,
    clusters: Clusters | None = None,
) -> Terms:
    """The terms of `chances` [N, K]; `sets` [N, K] says which labels stand in the finding set.

    `given` [N] are the labels given, where those are not always the most probable ones; the
    calibration error is of the most probable ones all the same.
    """
    every, count = np.arange(len(truths)), chances.shape[1]
    own, likeliest, sure = chances[every, truths], chances.argmax(1), chances.max(1)
    answers = likeliest if given is None else given
    right = answers == truths
    missed = chances.copy()
    missed[every, truths] -= 1
    plain = [
        np.ones(len(truths)),
        (missed**2).sum(1),
        -np.log(np.maximum(own, _LEAST)),
        sets[every, truths],
        sets.sum(1),
        (truths - answers) ** 2,
    ]
    marked = [np.where(right, truths, -1), truths, answers]
    columns = [np.stack(plain, axis=1), *(_marks(each, count) for each in marked)]
    binned = [_bins(sure, even=even) for even in (False, True)]
    gap = ((likeliest == truths) - sure)[:, np.newaxis]
    columns += [_marks(place, int(place.max()) + 1) * gap for place in binned]
    sums = np.concatenate(columns, axis=1)
    if clusters is not None:
        units = int(clusters.max()) + 1
        sums = np.stack([np.bincount(clusters, each, units) for each in sums.T], axis=1)
    return Terms(
        sums=sums,
        count=count,
        bins=(int(binned[0].max()) + 1, int(binned[1].max()) + 1),
        ordered=ordered,
    )


def overall(terms: Terms, weights: Weights | None = None) -> Figures:
    """Each overall figure for each row of `weights` [B, units], as [B]; one row of ones without.

    Labels that occur in no sample of a row leave its means. Sources: balanced accuracy is the
    mean recall; kappa, Cohen 1960 (quadratic weights: 1968); MCC for many labels, Gorodkin 2004;
    the Brier score summed over labels, Brier 1950; calibration error, Guo et al. 2017.

    >>> chances = np.array([[0.75, 0.25], [0.5, 0.5]])
    >>> terms = terms_of(np.array([0, 1]), chances, sets=chances > 0.4)
    >>> found = overall(terms)
    >>> found["accuracy"].tolist(), found["coverage"].tolist(), found["mean_set_size"].tolist()
    ([0.5], [1.0], [1.5])
    """
    count = terms.count
    times = np.ones((1, len(terms.sums))) if weights is None else weights
    sums = times @ terms.sums
    total = sums[:, 0]
    both, true, said = (sums[:, _SINGLE + count * n : _SINGLE + count * (n + 1)] for n in range(3))
    gaps = np.abs(sums[:, _SINGLE + 3 * count :])
    first, _ = terms.bins
    right, by_chance = both.sum(1), (true * said).sum(1)
    spread = np.sqrt(total**2 - (true**2).sum(1)) * np.sqrt(total**2 - (said**2).sum(1))
    found = {
        "accuracy": right / total,
        "balanced_accuracy": _mean_known(_share(both, true)),
        "f1": _mean_known(_share(2 * both, true + said)),
        "kappa": _share(total * right - by_chance, total**2 - by_chance),
        "mcc": _share(total * right - by_chance, spread),
        "brier": sums[:, 1] / total,
        "log_loss": sums[:, 2] / total,
        "ece": gaps[:, :first].sum(1) / total,
        "ece_equal_mass": gaps[:, first:].sum(1) / total,
        "coverage": sums[:, 3] / total,
        "mean_set_size": sums[:, 4] / total,
    }
    if terms.ordered:
        steps = np.subtract.outer(np.arange(count), np.arange(count)).astype(float) ** 2
        apart = np.einsum("bi,ij,bj->b", true, steps, said) / total
        found["quadratic_kappa"] = 1 - _share(sums[:, 5], apart)
    return found


def _marks(places: Truths, count: int) -> Chances:
    """[N, count]: 1 in the column that `places` names, nowhere where it names none."""
    return np.asarray(places[:, np.newaxis] == np.arange(count), np.float64)


def _share(part: Chances, whole: Chances) -> Chances:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _mean_known(values: Chances) -> NDArray[np.float64]:
    known = np.isfinite(values)
    return _share(np.where(known, values, 0.0).sum(1), known.sum(1).astype(float))


def _bins(sure: NDArray[np.float64], *, even: bool) -> NDArray[np.int64]:
    """The bin of each sample: of equal width, or of equally many samples."""
    if not even:
        return np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    place = np.empty(len(sure), np.int64)
    place[np.argsort(sure, kind="stable")] = np.arange(len(sure))
    return place * BINS // max(1, len(sure))


def are_ordered(codes: Sequence[str]) -> bool:
    """Whether labels are steps of one scale: the same word, numbered upwards one by one.

    >>> are_ordered(["grade-0", "grade-1", "grade-2"]), are_ordered(["benign", "malignant"])
    (True, False)
    """
    parted = [re.fullmatch(r"(.*?)(\d+)", code, flags=re.ASCII) for code in codes]
    if len(codes) < 3 or not all(parted):
        return False
    words = [match.groups() for match in parted if match]
    numbers = [int(number) for _, number in words]
    return len({word for word, _ in words}) == 1 and numbers == list(
        range(numbers[0], numbers[0] + len(numbers))
    )
