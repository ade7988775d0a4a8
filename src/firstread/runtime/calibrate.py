"""Logits become calibrated probabilities, a finding set and alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from firstread.domain.read import Finding
from firstread.packs import Conformal, Group, Manifest


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


def groups_of(
    codes: Sequence[str], chances: NDArray[np.float64], *, groups: Sequence[Group]
) -> tuple[Finding, ...]:
    """Each group with the sum of its labels' probabilities, in the order of `groups`.

    >>> group = Group(code="pneumonia", title="Pneumonia", labels=("bacterial", "viral"))
    >>> groups_of(["normal", "bacterial", "viral"], np.array([0.25, 0.5, 0.25]), groups=[group])
    (Finding(label='pneumonia', probability=0.75),)
    """
    if not groups:
        return ()
    by_code = dict(zip(codes, chances.tolist(), strict=True))
    return tuple(
        Finding(
            label=group.code,
            probability=min(1.0, math.fsum(by_code[code] for code in group.labels)),
        )
        for group in groups
    )


def alarms(chances: NDArray[np.float64], *, manifest: Manifest) -> tuple[str, ...]:
    """Positive labels and groups at or above their operating point, most probable first.

    Where there is no operating point, a positive label raises the alarm when it is the most
    probable one, and a positive group when it is more probable than not. `chances` [K].
    """
    threshold = {point.label: point.threshold for point in manifest.operating_points}
    codes, likeliest = manifest.codes, int(chances.argmax())
    raised: list[tuple[str, float]] = []
    for group, found in zip(
        manifest.groups, groups_of(codes, chances, groups=manifest.groups), strict=True
    ):
        if group.positive and found.probability >= threshold.get(group.code, 0.5):
            raised.append((group.code, found.probability))
    for place, (label, chance) in enumerate(zip(manifest.labels, chances.tolist(), strict=True)):
        if label.positive:
            least = threshold.get(label.code)
            if place == likeliest if least is None else chance >= least:
                raised.append((label.code, chance))
    raised.sort(key=itemgetter(1), reverse=True)
    return tuple(code for code, _ in raised)
