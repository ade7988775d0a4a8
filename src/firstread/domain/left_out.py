"""Which samples of a case do not count, and why: said wherever its numbers stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from firstread.domain.read import Read
from firstread.domain.verdict import Doubt

_BEGINS = ("The picture is ", "The picture ", "The recording is ", "The recording ")
_NOT_IDENTIFIED = "The model cannot identify"
NOT_OPENED = "could not be opened"


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many samples of a case count, and what was left out of them."""

    of: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many for each reason, in few words; the commonest first."""
    unlike: int = 0
    """How many of those that count are unlike what the pack was measured on."""

    @property
    def counted(self) -> int:
        return self.of - sum(self.left_out.values())

    def told(self) -> str:
        """What was left out and why, in one line; empty where all count.

        >>> Counted(of=100, left_out={"blurred": 5, "too dark": 3}).told()
        '92 of 100 counted; 8 left out: 5 blurred, 3 too dark'
        >>> Counted(of=50, unlike=4).told()
        '50 of 50 counted, 4 of them unlike what it was measured on'
        """
        if not self.left_out and not self.unlike:
            return ""
        said = f"{self.counted:,} of {self.of:,} counted"
        if self.unlike:
            said += f", {self.unlike:,} of them unlike what it was measured on"
        if not self.left_out:
            return said
        why = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        return f"{said}; {sum(self.left_out.values()):,} left out: {why}"


def counted(reads: Sequence[Read], *, not_opened: int = 0) -> Counted:
    """What of these reads counts, and of so many samples that were not opened none."""
    why = Counter(filter(None, map(_why_not, reads)))
    if not_opened:
        why[NOT_OPENED] += not_opened
    unlike = sum(read.doubt is Doubt.UNFAMILIAR for read in reads)
    return Counted(of=len(reads) + not_opened, left_out=dict(why.most_common()), unlike=unlike)


def _why_not(read: Read) -> str:
    if read.doubt is Doubt.WRONG_KIND:
        return read.verdict.in_a_sentence
    return "" if read.unfit is None else in_few_words(read.unfit)


def why_not_found(answer: Mapping[str, Any]) -> str:
    """Why an answer, as `Read.as_answer` gives it, names no finding, in few words."""
    if answer["unfit"]:
        return f"unfit ({in_few_words(answer['unfit'])})"
    says: str = answer["verdict"]["says"]
    return says[:1].lower() + says[1:]


def in_few_words(unfit: str) -> str:
    """A reason of one sample as a few words for many.

    >>> in_few_words("The picture is blurred: take it again in focus.")
    'blurred'
    >>> in_few_words("The picture is too small, 28 x 28 pixels of 96 x 96: send it whole.")
    'too small'
    >>> in_few_words("The model cannot identify this cell: take a better picture.")
    'not identified'
    >>> in_few_words("No heartbeat can be found: check the electrodes, record again.")
    'no heartbeat can be found'
    """
    first = unfit.partition(":")[0].partition(",")[0].partition(". ")[0].rstrip(".")
    if first.startswith(_NOT_IDENTIFIED):
        return "not identified"
    for begins in _BEGINS:
        if first.startswith(begins):
            return first.removeprefix(begins)
    return first[:1].lower() + first[1:]
