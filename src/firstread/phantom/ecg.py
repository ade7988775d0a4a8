"""A drawn electrocardiogram: a heart of nobody, regular but for the beats that its label asks for.

Waves are sums of bell curves, as in McSharry et al. (IEEE Trans Biomed Eng 50:289, 2003).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firstread.recordings import join_pair

LABELS = ("N", "S", "V", "F", "Q")
RATE_HZ = 360
LENGTH_S = 30.0
_STEPS_PER_MV = 200
_RARE = (0.12, 0.2)
"""Between which shares of the beats are those that the label names."""

Waves = Sequence[tuple[float, float, float]]
"""Bell curves: height in mV, middle and width in seconds, from the peak of the beat."""


def draw(label: str, rng: np.random.Generator) -> bytes:
    """A recording of thirty seconds in two leads, as a WFDB pair in one zip."""
    return as_pair(signal_of(label, rng, length_s=LENGTH_S))


def signal_of(label: str, rng: np.random.Generator, *, length_s: float) -> NDArray[np.float32]:
    """Two leads [2, T] in mV in which some beats are of `label`; all are normal for N."""
    usual_s = rng.uniform(0.68, 1.0)
    share = rng.uniform(*_RARE) if label != "N" else 0.0
    normal, other = _normal(rng), _other(label, rng)
    at = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    leads = np.zeros((2, len(at)))
    moment, since = rng.uniform(0.3, 0.6), 0
    while moment < length_s - 0.1:
        odd = since > 2 and rng.random() < 1.5 * share
        since = 0 if odd else since + 1
        early_s = usual_s * rng.uniform(0.25, 0.4) if odd and label in "SV" else 0.0
        _add(leads, at, moment - early_s, other if odd else normal)
        # After an early ventricular beat the heart waits for its own next time; after an early
        # atrial one it begins to count anew.
        moment += usual_s * (1 + rng.normal(0, 0.02)) - (0.7 * early_s if label == "S" else 0.0)
    wander = 0.08 * np.sin(2 * np.pi * (rng.uniform(0.15, 0.3) * at + rng.random()))
    leads += wander + rng.normal(0, rng.uniform(0.005, 0.02), leads.shape)
    return leads.astype(np.float32)


def as_pair(leads: NDArray[np.float32]) -> bytes:
    """Two leads [2, T] in mV as the one sample that a WFDB pair in format 16 is joined into."""
    steps = np.clip(np.rint(leads * _STEPS_PER_MV), -32000, 32000).astype("<i2")
    lines = [f"phantom {len(steps)} {RATE_HZ} {steps.shape[1]}"]
    for row, name in zip(steps, ("MLII", "V1"), strict=True):
        total = (int(row.astype(np.int64).sum()) + 32768) % 65536 - 32768
        lines.append(f"phantom.dat 16 {_STEPS_PER_MV}(0)/mV 16 0 {row[0]} {total} 0 {name}")
    header = "\n".join([*lines, "# drawn by chance, of nobody", ""])
    return join_pair({"phantom.hea": header.encode(), "phantom.dat": steps.T.tobytes()})


def _normal(rng: np.random.Generator) -> tuple[Waves, Waves]:
    high, p, t = rng.uniform(0.8, 1.5), rng.uniform(0.08, 0.18), rng.uniform(0.15, 0.35)
    first = [
        (p, -0.16, 0.025), (-0.1 * high, -0.03, 0.010), (high, 0.0, 0.013),
        (-0.22 * high, 0.032, 0.012), (t, 0.27, 0.05),
    ]  # fmt: skip
    second = [
        (0.5 * p, -0.16, 0.02), (0.3 * high, -0.015, 0.010), (-0.7 * high, 0.02, 0.014),
        (0.4 * t, 0.27, 0.05),
    ]  # fmt: skip
    return first, second


def _other(label: str, rng: np.random.Generator) -> tuple[Waves, Waves]:
    first, second = _normal(rng)
    if label == "S":  # the same QRS complex, another P wave
        return [(-0.08, -0.13, 0.02), *first[1:]], [(-0.05, -0.13, 0.02), *second[1:]]
    wide = [(rng.uniform(1.2, 1.8), 0.0, 0.045), (-0.5, 0.11, 0.05), (-0.35, 0.3, 0.07)]
    across = [(-rng.uniform(0.8, 1.3), 0.0, 0.05), (0.4, 0.12, 0.05), (0.2, 0.3, 0.07)]
    if label == "V":
        return wide, across
    if label == "F":  # half of each
        return _halved(first, wide), _halved(second, across)
    if label == "Q":  # a pacemaker's spike, then a wide beat
        return [(2.0, -0.09, 0.003), *wide], [(1.0, -0.09, 0.003), *across]
    return first, second


def _halved(one: Waves, other: Waves) -> Waves:
    return [(height / 2, middle, width) for height, middle, width in (*one, *other)]


def _add(
    leads: NDArray[np.float64],
    at: NDArray[np.float64],
    moment: float,
    waves: tuple[Waves, Waves],
) -> None:
    near = slice(*np.searchsorted(at, (moment - 0.45, moment + 0.6)))
    for lead, own in zip(leads, waves, strict=True):
        for height, middle, width in own:
            lead[near] += height * np.exp(-(((at[near] - moment - middle) / width) ** 2) / 2)
