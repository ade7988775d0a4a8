"""How well one alarm works: who is found, who is spared, and whether acting on it helps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation.answers import Answers
from firstread.evaluation.calibration import Line, line
from firstread.evaluation.decision import Benefit, benefit
from firstread.evaluation.metrics import Share, share_of
from firstread.evaluation.ranking import Curve, area_with_interval, coarse, curve
from firstread.evaluation.resample import Clusters, percentiles, resamples

FIXED = (0.9, 0.95)
"""Where sensitivity is told at a specificity, and the reverse."""


@dataclass(frozen=True, kw_only=True)
class AtAlarm:
    """What the alarm did, as the pack raises it."""

    sensitivity: Share
    specificity: Share
    ppv: Share
    npv: Share


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmFigures:
    """One label or group that can raise the alarm, against all others."""

    code: str
    n: int
    """How many samples truly have it."""
    at_alarm: AtAlarm | None
    """None for a group that raises none."""
    auc: Share
    average_precision: Share
    sensitivity_at: tuple[tuple[float, Share], ...]
    """At each of the fixed specificities."""
    specificity_at: tuple[tuple[float, Share], ...]
    """At each of the fixed sensitivities."""
    line: Line
    benefit: Benefit


def figures_of(answers: Answers, code: str, *, draws: int) -> AlarmFigures:
    """All figures of the label or group `code`, over N answers.

    What no formula gives an interval for is read from `draws` resamples. Raises ValueError where
    the pack has no such label or group.
    """
    true, said = answers.of(code)
    raised = answers.alarms.get(code)
    drawn = _drawn(true, said, clusters=answers.clusters, draws=draws)
    return AlarmFigures(
        code=code,
        n=int(true.sum()),
        at_alarm=None if raised is None else at_alarm(true, raised, clusters=answers.clusters),
        auc=area_with_interval(true, said, clusters=answers.clusters),
        average_precision=drawn[0],
        sensitivity_at=tuple(zip(FIXED, drawn[1:3], strict=True)),
        specificity_at=tuple(zip(FIXED, drawn[3:5], strict=True)),
        line=line(true, said, clusters=answers.clusters),
        benefit=benefit(true, said),
    )


def at_alarm(
    true: NDArray[np.bool_], raised: NDArray[np.bool_], *, clusters: Clusters | None = None
) -> AtAlarm:
    """The four shares of an alarm [N] that was raised or not.

    >>> found = at_alarm(np.array([True, True, False]), np.array([True, False, False]))
    >>> found.sensitivity.value, found.specificity.value, found.npv.value
    (0.5, 1.0, 0.5)
    """
    right = true == raised

    def among(chosen: NDArray[np.bool_]) -> Share:
        return share_of(right[chosen], clusters=None if clusters is None else clusters[chosen])

    return AtAlarm(
        sensitivity=among(true), specificity=among(~true), ppv=among(raised), npv=among(~raised)
    )


def _drawn(
    true: NDArray[np.bool_], said: NDArray[np.float64], *, clusters: Clusters | None, draws: int
) -> list[Share]:
    """Average precision, then sensitivities and specificities at the fixed points."""
    if true.all() or not true.any():
        return [Share(value=math.nan, low=math.nan, high=math.nan)] * (1 + 2 * len(FIXED))
    whole, ranked = _row(curve(true, said)), coarse(said)
    rows = [
        _row(curve(true, ranked, weights, clusters=clusters))
        for weights in resamples(len(true), clusters=clusters, draws=draws)
    ]
    shares = []
    for value, found in zip(whole, np.concatenate(rows, axis=1), strict=True):
        low, high = percentiles(found)
        shares.append(Share(value=float(value[0]), low=low, high=high))
    return shares


def _row(found: Curve) -> NDArray[np.float64]:
    return np.stack(
        [
            found.average_precision(),
            *(found.sensitivity_at(each) for each in FIXED),
            *(found.specificity_at(each) for each in FIXED),
        ]
    )
