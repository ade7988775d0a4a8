"""Whether what is said with 80 % is right four times in five."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation.metrics import Z_95, Share, share_of
from firstread.evaluation.resample import Clusters

_STEPS = 50
_LEAST = 1e-6
"""Probabilities are kept this far from 0 and 1, whose log odds are infinite."""


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Samples that were answered with about the same probability; `observed` were right."""

    low: float
    high: float
    said: float
    observed: Share
    n: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """The logistic line from what was said to what was so; 0 and 1 where both are the same.

    `intercept` is calibration in the large (the slope held at 1): above 0 the finding is commoner
    than was said. `slope` below 1: what was said is too extreme (Cox, Biometrika 45:562, 1958;
    Van Calster et al., BMC Med 17:230, 2019). NaN where the two sides do not overlap.
    """

    intercept: Share
    slope: Share


def reliability(
    right: NDArray[np.bool_],
    said: NDArray[np.float64],
    *,
    clusters: Clusters | None = None,
    bins: int = 10,
) -> tuple[Bin, ...]:
    """Bins of equal width over the probability `said` [N]; empty ones are left out.

    >>> [(b.n, b.said, b.observed.value) for b in
    ...  reliability(np.array([True, False, True]), np.array([0.85, 0.85, 0.2]))]
    [(1, 0.2, 1.0), (2, 0.85, 0.5)]
    """
    place = np.minimum((said * bins).astype(int), bins - 1)
    found = []
    for index in range(bins):
        here = place == index
        if here.any():
            observed = share_of(right[here], clusters=None if clusters is None else clusters[here])
            found.append(
                Bin(
                    low=index / bins,
                    high=(index + 1) / bins,
                    said=float(said[here].mean()),
                    observed=observed,
                    n=int(here.sum()),
                )
            )
    return tuple(found)


def line(
    true: NDArray[np.bool_], said: NDArray[np.float64], *, clusters: Clusters | None = None
) -> Line:
    """Calibration in the large and slope of the probability `said` [N], with Wald's 95 % interval.

    The variance is the sandwich's, by patient where `clusters` names them.

    >>> rng = np.random.default_rng(0)
    >>> said = rng.random(20000)
    >>> fits = line(rng.random(20000) < said, said)
    >>> abs(fits.slope.value - 1) < 0.05, abs(fits.intercept.value) < 0.05
    (True, True)
    """
    sure = np.clip(said, _LEAST, 1 - _LEAST)
    odds = np.log(sure / (1 - sure))
    ones = np.ones((len(odds), 1))
    large = _logistic(ones, true, offset=odds, clusters=clusters)
    both = _logistic(np.column_stack([ones, odds]), true, offset=0 * odds, clusters=clusters)
    return Line(intercept=large[0], slope=both[1])


def _logistic(
    given: NDArray[np.float64],
    true: NDArray[np.bool_],
    *,
    offset: NDArray[np.float64],
    clusters: Clusters | None,
) -> list[Share]:
    """Newton's steps to the coefficients; NaN where there is no greatest likelihood."""
    unknown = [Share(value=math.nan, low=math.nan, high=math.nan)] * given.shape[1]
    if true.all() or not true.any():
        return unknown
    at = np.zeros(given.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(given @ at + offset, -40, 40)))
        bend = (given * (chance * (1 - chance))[:, np.newaxis]).T @ given
        if not np.isfinite(bend).all() or np.linalg.cond(bend) > 1e12:
            return unknown
        step = np.linalg.solve(bend, given.T @ (true - chance))
        at = at + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    else:
        return unknown
    if np.abs(at).max() > 20:
        return unknown
    scores = given * (true - chance)[:, np.newaxis]
    if clusters is not None:
        scores = np.stack([np.bincount(clusters, column) for column in scores.T], axis=1)
    inverse = np.linalg.inv(bend)
    spread = np.sqrt(np.diag(inverse @ (scores.T @ scores) @ inverse))
    return [
        Share(value=float(b), low=float(b - Z_95 * s), high=float(b + Z_95 * s))
        for b, s in zip(at, spread, strict=True)
    ]
