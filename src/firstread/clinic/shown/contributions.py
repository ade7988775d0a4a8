"""What each measurement of a row adds to its read, as the case page draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firstread.domain.read import Read
from firstread.packs import Manifest

HALF = 100.0
"""Half the width of a bar that goes both ways."""


@dataclass(frozen=True, kw_only=True)
class ContributionBar:
    """One measurement, and what it adds towards or against."""

    title: str
    help: str
    maximum: float
    value: float | None
    sum: float
    width: str
    x: str

    @property
    def towards(self) -> bool:
        return self.sum >= 0


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """Every measurement's share in one label, and where the sum begins."""

    bars: tuple[ContributionBar, ...]
    towards: str
    bias: float
    total: float


def contributions_of(read: Read, manifest: Manifest) -> Contributions:
    """What each measurement adds towards one label, and the sum: towards the alarm, if any.

    Of two labels it is the difference of their logits, else the label against the mean of the
    others, so that the sum's sign says which way the read leans.
    """
    codes = manifest.codes
    positive = [label.code for label in manifest.labels if label.positive]
    place = codes.index(positive[0] if len(positive) == 1 else read.label)
    takes = {each.code: each for each in manifest.measurements}
    sums = [(each, _against(each.logits, place)) for each in read.contributions]
    bias = _against(manifest.measurements_model.bias, place) if manifest.measurements_model else 0.0
    most = max((abs(total) for _, total in sums), default=1.0) or 1.0
    return Contributions(
        bars=tuple(
            ContributionBar(
                title=takes[each.measurement].title,
                help=takes[each.measurement].help,
                maximum=takes[each.measurement].maximum,
                value=each.value,
                sum=total,
                width=f"{abs(total) / most * HALF:.2f}",
                x=f"{HALF if total >= 0 else HALF - abs(total) / most * HALF:.2f}",
            )
            for each, total in sums
        ),
        towards=manifest.labels[place].title.lower(),
        bias=bias,
        total=bias + sum(total for _, total in sums),
    )


def _against(logits: Sequence[float], place: int) -> float:
    others = [value for at, value in enumerate(logits) if at != place]
    return logits[place] - (sum(others) / len(others) if others else 0.0)
