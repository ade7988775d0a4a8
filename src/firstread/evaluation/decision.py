"""What acting on an alarm gains over calling everyone ill, or nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = tuple(round(each / 100, 2) for each in range(1, 100))
"""From one in a hundred on: how likely a finding must be before one acts on it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Benefit:
    """Net benefit at each of `thresholds`, per sample: true alarms less false ones at their price.

    Vickers and Elkin, Med Decis Making 26:565, 2006. Of treating nobody it is 0.
    """

    thresholds: NDArray[np.float64]
    of_pack: NDArray[np.float64]
    of_all: NDArray[np.float64]

    def useful(self) -> tuple[float, float] | None:
        """The range of thresholds, widest unbroken, at which the pack gains over both; or None."""
        gains = self.of_pack > np.maximum(self.of_all, 0) + 1e-12
        best: tuple[int, int] | None = None
        first = None
        for place, gain in enumerate([*gains.tolist(), False]):
            if gain and first is None:
                first = place
            elif not gain and first is not None:
                if best is None or place - first > best[1] - best[0] + 1:
                    best = (first, place - 1)
                first = None
        if best is None:
            return None
        return float(self.thresholds[best[0]]), float(self.thresholds[best[1]])


def benefit(
    true: NDArray[np.bool_],
    said: NDArray[np.float64],
    *,
    thresholds: tuple[float, ...] = THRESHOLDS,
) -> Benefit:
    """The net benefit of acting where the probability `said` [N] reaches each threshold.

    >>> found = benefit(np.array([True, True, False, False]), np.array([0.9, 0.4, 0.4, 0.1]),
    ...     thresholds=(0.2,))
    >>> found.of_pack.tolist(), found.of_all.tolist()
    ([0.4375], [0.375])
    """
    at = np.array(thresholds)
    price = at / (1 - at)
    acted = said >= at[:, np.newaxis]
    n = len(true)
    found, false = (acted & true).sum(1) / n, (acted & ~true).sum(1) / n
    return Benefit(
        thresholds=at,
        of_pack=found - false * price,
        of_all=true.mean() - (1 - true.mean()) * price,
    )
