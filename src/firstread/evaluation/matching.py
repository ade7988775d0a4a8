"""Which beat that was found is which beat that is there: within 150 ms, each once (EC57)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WITHIN_S = 0.15
"""ANSI/AAMI EC57: a beat found within 150 ms of a true one is that beat."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Matched:
    """Pairs of places: `true[i]` was found as `found[i]`; and what has no partner."""

    true: NDArray[np.int64]
    found: NDArray[np.int64]
    missed: NDArray[np.int64]
    """Places of true beats that were not found."""
    extra: NDArray[np.int64]
    """Places of found beats that are none."""


def match(
    true_s: NDArray[np.float64], found_s: NDArray[np.float64], *, within_s: float = WITHIN_S
) -> Matched:
    """Match two ascending rows of moments, in seconds; of several in reach the nearest is taken.

    >>> pairs = match(np.array([1.0, 2.0]), np.array([1.1, 1.5]))
    >>> pairs.true.tolist(), pairs.missed.tolist(), pairs.extra.tolist()
    ([0], [1], [1])
    """
    free = np.ones(len(found_s), bool)
    pairs: list[tuple[int, int]] = []
    first = np.searchsorted(found_s, true_s - within_s)
    last = np.searchsorted(found_s, true_s + within_s, side="right")
    for place, moment in enumerate(true_s.tolist()):
        inside = [each for each in range(int(first[place]), int(last[place])) if free[each]]
        if inside:
            nearest = min(inside, key=lambda each: abs(float(found_s[each]) - moment))
            free[nearest] = False
            pairs.append((place, nearest))
    true = np.array([one for one, _ in pairs], np.int64)
    found = np.array([other for _, other in pairs], np.int64)
    missed = np.setdiff1d(np.arange(len(true_s)), true)
    return Matched(true=true, found=found, missed=missed, extra=np.flatnonzero(free))


def outside(
    moments_s: NDArray[np.float64], asides_s: tuple[tuple[float, float], ...], *, margin_s: float
) -> NDArray[np.bool_]:
    """Which moments lie in none of the stretches that are left out.

    >>> outside(np.array([1.0, 2.0]), ((1.9, 3.0),), margin_s=0.0).tolist()
    [True, False]
    """
    kept = np.ones(len(moments_s), bool)
    for begin, end in asides_s:
        kept &= (moments_s < begin - margin_s) | (moments_s > end + margin_s)
    return kept
