"""Logits become calibrated probabilities, a finding set and alarms."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from firstread.packs import Conformal, OperatingPoint


def probabilities(logits: NDArray[np.float32], *, temperature: float) -> NDArray[np.float64]:
    """Softmax of logits / temperature over the last axis (Guo et al., ICML 2017).

    >>> probabilities(np.array([0.0, 0.0], dtype=np.float32), temperature=1.5).tolist()
    [0.5, 0.5]
    """
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def ranked(chances: NDArray[np.float64]) -> list[tuple[int, float]]:
    """Each label's index with its probability, most probable first; equal ones in their order.

    >>> ranked(np.array([0.25, 0.5, 0.25]))
    [(1, 0.5), (0, 0.25), (2, 0.25)]
    """
    # Of a dozen numbers Python's own sort is several times quicker than NumPy's.
    return sorted(enumerate(chances.tolist()), key=itemgetter(1), reverse=True)


def finding_set(
    codes: Sequence[str], chances: NDArray[np.float64], *, conformal: Conformal
) -> tuple[str, ...]:
    """The labels that cannot be ruled out, most probable first (LAC: Sadinle et al., JASA 2019).

    The most probable label is always in: an empty set would say that no label can be right.

    >>> conformal = Conformal(method="lac", coverage=0.9, threshold=0.7)
    >>> finding_set(["a", "b", "c"], np.array([0.1, 0.5, 0.4]), conformal=conformal)
    ('b', 'c')
    """
    first, *others = ranked(chances)
    least = 1.0 - conformal.threshold
    return (codes[first[0]], *(codes[i] for i, chance in others if chance >= least))


def alarms(
    codes: Sequence[str],
    chances: NDArray[np.float64],
    *,
    positive: Sequence[str],
    points: Sequence[OperatingPoint],
) -> tuple[str, ...]:
    """Positive labels at or above their operating point, most probable first.

    A positive label without an operating point raises the alarm when it is the most probable.
    """
    threshold = {point.label: point.threshold for point in points}
    raised = []
    for place, (i, chance) in enumerate(ranked(chances)):
        code = codes[i]
        if code not in positive:
            continue
        reaches = chance >= threshold[code] if code in threshold else place == 0
        if reaches:
            raised.append(code)
    return tuple(raised)
