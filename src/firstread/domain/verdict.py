"""What stands where a finding would: the finding itself, or why none does, in one wording.

Every face that shows a read (page, mail, API, webhook, command, table) takes its words from here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from firstread.domain.kinds import WORDS


class Doubt(StrEnum):
    """Why a finding does not stand as it is."""

    UNFIT = "unfit"
    WRONG_KIND = "wrong_kind"
    UNFAMILIAR = "unfamiliar"
    UNCALIBRATED = "uncalibrated"


_SAYS = {
    Doubt.UNFIT: "Unfit for a first read",
    Doubt.WRONG_KIND: "Not the kind of {one} this was made for",
    Doubt.UNFAMILIAR: "Unlike what it was measured on",
    Doubt.UNCALIBRATED: "Not calibrated",
}
_WHY = {
    Doubt.UNFIT: "A person reads it unaided.",
    Doubt.WRONG_KIND: (
        "The model gives an answer to anything; what it would say here means nothing. A person "
        "looks whether it belongs to this check, and reads it unaided."
    ),
    Doubt.UNFAMILIAR: (
        "How often the model is right was not measured on such {many}, and its numbers may not "
        "hold here. A person reads it unaided."
    ),
    Doubt.UNCALIBRATED: (
        "The numbers put the labels in order, and do not say how often such an answer is right."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the finding of a read or a case stands, and what is shown where it does not."""

    doubt: Doubt | None = None
    says: str = ""
    """What is shown in the finding's place, or beside it where it is only not calibrated."""
    why: str = ""
    """The reason and what follows, in sentences."""

    @property
    def names_finding(self) -> bool:
        """Whether the label may be shown as what was found."""
        return self.doubt in (None, Doubt.UNCALIBRATED)

    @property
    def may_ring(self) -> bool:
        """Whether an alarm may look and sound like one: red, and first in the list."""
        return self.doubt is None

    @property
    def shows_evidence(self) -> bool:
        """Whether evidence is shown: of what is unfit or of another kind there is none."""
        return self.doubt not in (Doubt.UNFIT, Doubt.WRONG_KIND)

    @property
    def takes_two_acts(self) -> bool:
        """Whether agreeing must be confirmed by a second deliberate act."""
        return self.doubt is not None

    def needs_confirming(self, confirm: str) -> str:
        """Why agreeing is refused with this `confirm`, and what to send; empty where it is not.

        >>> verdict_of_doubt(Doubt.UNFAMILIAR).needs_confirming("unfamiliar")
        ''
        >>> verdict_of_doubt(Doubt.UNFAMILIAR).needs_confirming("")
        'The first read does not stand by itself: unlike what it was measured on. To agree with it \
all the same, confirm that you have looked at it yourself: send "confirm": "unfamiliar".'
        """
        if self.doubt is None or confirm == self.doubt:
            return ""
        return (
            f"The first read does not stand by itself: {self.in_a_sentence}. To agree with it all "
            f"the same, confirm that you have looked at it yourself: send "
            f'"confirm": "{self.doubt}".'
        )

    @property
    def in_a_sentence(self) -> str:
        """Its words where they do not begin a line."""
        return self.says[:1].lower() + self.says[1:]

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"stands": self.doubt is None, **asdict(self)}


STANDS = Verdict()
"""The finding stands, and is shown."""


def verdict_of_doubt(
    doubt: Doubt | None, *, why: str = "", kind: str = "image", looks_like: str = ""
) -> Verdict:
    """The verdict on a sample of that kind; `why` is the reason of its own, where it has one, and
    `looks_like` what it shows, where it is of another kind and that can be said.

    >>> verdict_of_doubt(Doubt.WRONG_KIND, kind="recording").says
    'Not the kind of recording this was made for'
    >>> verdict_of_doubt(Doubt.WRONG_KIND, looks_like="a chest X-ray").says
    'Not the kind of picture this was made for: it looks like a chest X-ray'
    """
    if doubt is None:
        return STANDS
    words = WORDS[kind]
    said = _WHY[doubt].format(many=words.many)
    return Verdict(
        doubt=doubt,
        says=_SAYS[doubt].format(one=words.one)
        + (f": it looks like {looks_like}" if looks_like else ""),
        why=f"{why} {said}" if why else said,
    )
