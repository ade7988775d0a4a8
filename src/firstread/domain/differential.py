"""The differential: how the cells of a case share out among the labels, with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from firstread.domain.read import Read

Z_95 = 1.959963984540054


@dataclass(frozen=True, kw_only=True)
class Share:
    """One label's count among `of` cells, and its share with a 95 % interval."""

    label: str
    count: int
    of: int
    share: float
    low: float
    high: float


def wilson(count: int, *, of: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson, JASA 22:209, 1927).

    >>> low, high = wilson(8, of=10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if of == 0:
        return 0.0, 1.0
    p = count / of
    centre = p + z * z / (2 * of)
    half = z * sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    # Rounding must not put the share itself outside its interval.
    return max(0.0, min(p, (centre - half) / scale)), min(1.0, max(p, (centre + half) / scale))


def differential(reads: Sequence[Read], *, labels: Sequence[str]) -> tuple[Share, ...]:
    """Count the cells that a model may be trusted with, commonest label first.

    Labels nobody has keep their place at the end, with the interval that still cannot rule them
    out.
    """
    fit = [read for read in reads if read.is_counted]
    counts = Counter(read.label for read in fit)
    shares = []
    for label in labels:
        low, high = wilson(counts[label], of=len(fit))
        share = counts[label] / len(fit) if fit else 0.0
        shares.append(
            Share(label=label, count=counts[label], of=len(fit), share=share, low=low, high=high)
        )
    order = {label: place for place, label in enumerate(labels)}
    return tuple(sorted(shares, key=lambda s: (-s.count, order[s.label])))
