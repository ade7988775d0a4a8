"""What all answers to a set come to, for the set itself or for many resamples of it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Truths = NDArray[np.int64]
Chances = NDArray[np.float64]
Weights = NDArray[np.float64]
Figures = dict[str, NDArray[np.float64]]

BINS = 15
_LEAST = 1e-15
"""A probability of 0 for what is true costs as much as this, so that the log loss stays finite."""


def overall(
    truths: Truths,
    chances: Chances,
    weights: Weights,
    *,
    sets: NDArray[np.bool_],
    ordered: bool = False,
) -> Figures:
    """Each overall figure for each row of `weights` [B, N], as [B].

    `chances` [N, K] are probabilities, `sets` [N, K] says which labels stand in the finding set.
    Labels that occur in no sample of a row leave its means. Sources: balanced accuracy is the
    mean recall; kappa, Cohen 1960 (quadratic weights: 1968); MCC for many labels, Gorodkin 2004;
    the Brier score summed over labels, Brier 1950; calibration error, Guo et al. 2017.
    """
    every = np.arange(len(truths))
    own = chances[every, truths]
    answers = chances.argmax(1)
    total = weights.sum(1)
    missed = chances.copy()
    missed[every, truths] -= 1

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(weights @ values / total)

    found = _of_counts(truths, answers, weights, count=chances.shape[1])
    found |= {
        "brier": mean((missed**2).sum(1)),
        "log_loss": mean(-np.log(np.maximum(own, _LEAST))),
        "ece": _gap(_parts(chances.max(1), even=False), answers == truths, chances, weights),
        "ece_equal_mass": _gap(
            _parts(chances.max(1), even=True), answers == truths, chances, weights
        ),
        "coverage": mean(sets[every, truths].astype(float)),
        "mean_set_size": mean(sets.sum(1).astype(float)),
    }
    if ordered:
        found["quadratic_kappa"] = _quadratic_kappa(truths, answers, weights, chances.shape[1])
    return found


def _of_counts(truths: Truths, answers: Truths, weights: Weights, *, count: int) -> Figures:
    """The figures that follow from how often each label is true, is said, and is both."""
    true, said, both = (
        np.stack(list(_sums(weights, chosen, count)), axis=1)
        for chosen in (truths, answers, np.where(truths == answers, truths, -1))
    )
    total, right = weights.sum(1), both.sum(1)
    by_chance = (true * said).sum(1)
    spread = np.sqrt(total**2 - (true**2).sum(1)) * np.sqrt(total**2 - (said**2).sum(1))
    recall = _share(both, true)
    return {
        "accuracy": right / total,
        "balanced_accuracy": _mean_known(recall),
        "f1": _mean_known(_share(2 * both, true + said)),
        "kappa": _share(total * right - by_chance, total**2 - by_chance),
        "mcc": _share(total * right - by_chance, spread),
    }


def _sums(weights: Weights, chosen: Truths, count: int) -> Iterator[NDArray[np.float64]]:
    for label in range(count):
        yield weights[:, chosen == label].sum(1)


def _share(part: Chances, whole: Chances) -> Chances:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _mean_known(values: Chances) -> NDArray[np.float64]:
    known = np.isfinite(values)
    return _share(np.where(known, values, 0.0).sum(1), known.sum(1).astype(float))


def _quadratic_kappa(
    truths: Truths, answers: Truths, weights: Weights, count: int
) -> NDArray[np.float64]:
    total = weights.sum(1)
    apart = weights @ ((truths - answers) ** 2).astype(float)
    steps = np.subtract.outer(np.arange(count), np.arange(count)) ** 2
    true, said = (np.stack(list(_sums(weights, e, count)), axis=1) for e in (truths, answers))
    by_chance = np.einsum("bi,ij,bj->b", true, steps.astype(float), said) / total
    return 1 - _share(apart, by_chance)


def _parts(sure: NDArray[np.float64], *, even: bool) -> NDArray[np.int64]:
    """The bin of each sample: of equal width, or of equally many samples."""
    if not even:
        return np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    place = np.empty(len(sure), np.int64)
    place[np.argsort(sure, kind="stable")] = np.arange(len(sure))
    return place * BINS // max(1, len(sure))


def _gap(
    parts: NDArray[np.int64], right: NDArray[np.bool_], chances: Chances, weights: Weights
) -> NDArray[np.float64]:
    gaps = right - chances.max(1)
    found = np.zeros(len(weights))
    for part in np.unique(parts):
        here = parts == part
        found += np.abs(weights[:, here] @ gaps[here])
    return np.asarray(found / weights.sum(1))


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
