"""The same set drawn again and again, patient by patient: what an interval is read from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
"""Enough that the ends of a 95 % interval hold to their third digit (Efron and Tibshirani 1993)."""
_CELLS = 300_000
"""Weights at once: what fits a core's own memory is twice as fast."""

Clusters = NDArray[np.int64]
"""[N]: which samples belong together, as numbers from 0."""


def clusters_of(patients: Sequence[str]) -> Clusters | None:
    """Which samples are one patient's; None where each stands alone, as far as is known.

    A sample without a patient stands alone.

    >>> clusters_of(["ann", "", "ann", "bo"]).tolist()
    [0, 1, 0, 2]
    >>> clusters_of(["", ""]) is None
    True
    """
    number: dict[str, int] = {}
    keys = [who or f"\0{place}" for place, who in enumerate(patients)]
    found = [number.setdefault(key, len(number)) for key in keys]
    return np.array(found, np.int64) if len(number) < len(found) else None


def resamples(
    count: int, *, clusters: Clusters | None, draws: int = DRAWS, seed: int = 0
) -> Iterator[NDArray[np.float64]]:
    """How often each unit is in each of `draws` resamples, as blocks [B, units].

    Units are the patients where `clusters` names them, else the `count` samples; they are drawn
    with replacement (Davison and Hinkley, Bootstrap Methods, 1997, section 3.8). The same seed
    draws the same.

    >>> sum(len(block) for block in resamples(5, clusters=None, draws=30))
    30
    """
    rng = np.random.default_rng(seed)
    units = count if clusters is None else int(clusters.max()) + 1
    block = max(1, min(draws, _CELLS // units))
    for first in range(0, draws, block):
        rows = min(block, draws - first)
        drawn = rng.integers(0, units, (rows, units))
        drawn += np.arange(rows)[:, np.newaxis] * units
        times = np.bincount(drawn.ravel(), minlength=rows * units)
        yield times.reshape(rows, units).astype(np.float64)


def percentiles(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of what the resamples gave; NaN where most of them gave nothing.

    >>> percentiles(np.arange(101.0))
    (2.5, 97.5)
    """
    known = drawn[np.isfinite(drawn)]
    if len(known) * 2 < len(drawn) or not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
