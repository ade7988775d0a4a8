"""What a sample truly shows, in the words that people write it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firstread.domain.foremost import listed

_YES = frozenset({"1", "positive"})
_NO = frozenset({"0", "negative"})


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a sample truly shows: a label of the pack, or no more than whether it is positive."""

    label: str | None
    positive: bool | None
    """None where nothing counts as positive."""

    def __str__(self) -> str:
        return self.label or ("positive" if self.positive else "negative")


UNKNOWN = Truth(label=None, positive=None)
"""Somebody wrote a label that is none here: the truth is not known, wherever else one looks."""


class KnownLabels:
    """The labels that a truth may have, and which of them count as positive.

    >>> known = KnownLabels(["blast", "neutrophil"], positive=["blast"])
    >>> str(known.truth("Blast")), str(known.truth("0")), known.truth("monocyte")
    ('blast', 'negative', None)
    """

    def __init__(self, codes: Sequence[str], *, positive: Sequence[str]) -> None:
        self.codes = tuple(codes)
        self.positive = tuple(positive)
        some = bool(positive)
        self._truths = {
            code: Truth(label=code, positive=code in positive if some else None) for code in codes
        }
        folded: dict[str, list[str]] = {}
        for code in codes:
            folded.setdefault(code.casefold(), []).append(code)
        self._folded = {key: same[0] for key, same in folded.items() if len(same) == 1}
        self._sides = (
            {word: Truth(label=None, positive=True) for word in _YES}
            | {word: Truth(label=None, positive=False) for word in _NO}
            if some
            else {}
        )

    def truth(self, word: str) -> Truth | None:
        """The label of that name in any case, else 1, positive, 0 or negative; None for others."""
        code = word if word in self._truths else self._folded.get(word.casefold())
        return self._truths[code] if code else self._sides.get(word.casefold())

    def side(self, *, positive: bool) -> Truth | None:
        """Positive or negative without a label; None where nothing counts as positive."""
        return self.truth("1" if positive else "0") if self._sides else None

    def __str__(self) -> str:
        sides = ["1 (positive)", "0 (negative)"] if self._sides else []
        return ", ".join([listed(self.codes), *sides])
