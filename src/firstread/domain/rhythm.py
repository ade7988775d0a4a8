"""What the beats of a recording come to: how many of each label, how fast, the longest pause."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """The beats of one recording in a few numbers."""

    beats: int
    counts: tuple[int, ...]
    """Of each label, in the order of the labels."""
    mean_rate_bpm: float | None
    """Beats a minute between the first and the last; None of fewer than two."""
    longest_rr_s: float | None
    longest_rr_at: int | None
    """Which beat, counted from 0, ends the longest pause."""


@dataclass(frozen=True, kw_only=True)
class Episode:
    """Beats of one label that follow each other: a single one, a pair, a run."""

    first: int
    """Which beat it begins with, counted from 0."""
    count: int
    label: int
    at_s: float
    ends_s: float

    @property
    def rate_bpm(self) -> float | None:
        """How fast a pair or run is; None of a single beat."""
        lasts_s = self.ends_s - self.at_s
        return 60 * (self.count - 1) / lasts_s if lasts_s > 0 else None


def rhythm_of(at_s: Sequence[float], labels: Sequence[int], *, of: int) -> Rhythm:
    """The rhythm of beats in order of time; `labels` are places in a list of `of` labels.

    >>> found = rhythm_of([0.0, 1.0, 1.5, 3.0], [0, 0, 1, 0], of=2)
    >>> found.counts, found.mean_rate_bpm, found.longest_rr_s, found.longest_rr_at
    ((3, 1), 60.0, 1.5, 3)
    """
    counts = [0] * of
    for label in labels:
        counts[label] += 1
    gaps = [after - before for before, after in pairwise(at_s)]
    longest = max(range(len(gaps)), key=gaps.__getitem__) if gaps else None
    lasts_s = at_s[-1] - at_s[0] if gaps else 0.0
    return Rhythm(
        beats=len(at_s),
        counts=tuple(counts),
        mean_rate_bpm=60 * len(gaps) / lasts_s if lasts_s > 0 else None,
        longest_rr_s=None if longest is None else gaps[longest],
        longest_rr_at=None if longest is None else longest + 1,
    )


def episodes_of(
    at_s: Sequence[float], labels: Sequence[int], *, notable: Collection[int]
) -> list[Episode]:
    """The beats of the notable labels, in order of time; neighbours of one label together.

    >>> found = episodes_of([0.0, 1.0, 1.5, 2.0], [0, 1, 1, 0], notable={1})
    >>> [(each.first, each.count, each.rate_bpm) for each in found]
    [(1, 2, 120.0)]
    """
    found: list[Episode] = []
    start = 0
    for place in range(1, len(labels) + 1):
        if place < len(labels) and labels[place] == labels[start]:
            continue
        if labels[start] in notable:
            found.append(
                Episode(
                    first=start,
                    count=place - start,
                    label=labels[start],
                    at_s=at_s[start],
                    ends_s=at_s[place - 1],
                )
            )
        start = place
    return found
