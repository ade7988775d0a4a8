"""The life of a case: its states, who must decide, and what its reads add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from firstread.domain.motif import Motif
from firstread.domain.read import Read
from firstread.domain.verdict import Doubt

NO_ALARM = "no-alarm"
"""The answer for a case of many cells none of which raises the alarm."""
OTHER = "other"
"""The answer of a specialist who sees what no label names; the comment says what."""
NO_RESULT = "withdrawn"
"""What an amendment says of a signed case that is withdrawn: its decision does not stand."""


class CaseState(StrEnum):
    """Where a case stands.

    received → read → signed_off → amended, and received → unfit → signed_off. From each of them a
    person may withdraw the case.
    """

    RECEIVED = "received"
    READ = "read"
    UNFIT = "unfit"
    SIGNED_OFF = "signed_off"
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"


WAITING = (CaseState.READ, CaseState.UNFIT)
"""States in which a person must answer."""
DECIDED = (CaseState.SIGNED_OFF, CaseState.AMENDED)


class Basis(StrEnum):
    """On whose word a case was signed off."""

    ONE_READER = "one_reader"
    TWO_READERS = "two_readers"
    CHIEF = "chief"
    AMENDMENT = "amendment"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One specialist's label for a case."""

    by: str
    label: str
    chief: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the answers so far amount to.

    `label` and `basis` are set once the case is decided; until then `waits_for` says for whom.
    """

    label: str | None = None
    basis: Basis | None = None
    waits_for: str | None = None


def decide(answers: Sequence[Answer], *, readers: int) -> Decision:
    """Decide a case from its answers: one reader, or two and, where they differ, the chief.

    >>> decide([Answer(by="ana", label="blast")], readers=1).label
    'blast'
    >>> two = [Answer(by="ana", label="blast"), Answer(by="bo", label="lymphocyte")]
    >>> decide(two, readers=2).waits_for
    'chief'
    >>> decide([*two, Answer(by="eva", label="blast", chief=True)], readers=2).basis.value
    'chief'
    """
    for answer in answers:
        if answer.chief:
            return Decision(label=answer.label, basis=Basis.CHIEF)
    if len(answers) < readers:
        return Decision(waits_for="specialist")
    if len({answer.label for answer in answers}) > 1:
        return Decision(waits_for="chief")
    basis = Basis.ONE_READER if readers == 1 else Basis.TWO_READERS
    return Decision(label=answers[0].label, basis=basis)


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The one finding that stands for a whole case in the worklist."""

    label: str
    probability: float


def headline(reads: Sequence[Read], *, alarming: Collection[str]) -> Headline | None:
    """Sum up the reads of a case: the cell itself, or of many cells the commonest alarm.

    `alarming` are the labels that are positive findings. Unfit cells say nothing, and unfamiliar
    ones raise an alarm only where no other does. Of many cells without an alarm the answer is
    `no-alarm`, with the probability that the most suspicious cell is none of the alarming ones.
    """
    fit = [read for read in reads if read.unfit is None]
    if not fit:
        return None
    if len(reads) == 1:
        return Headline(label=fit[0].label, probability=fit[0].probability)
    fit = [read for read in fit if read.is_counted] or fit
    alarms = Counter(label for read in fit if read.verdict.names_finding for label in read.alarms)
    alarms = alarms or Counter(label for read in fit for label in read.alarms)
    if alarms:
        label = min(alarms, key=lambda name: (-alarms[name], name))
        return Headline(label=label, probability=max(r.probability_of(label) for r in fit))
    suspicion = max(sum(r.probability_of(label) for label in alarming) for r in fit)
    return Headline(label=NO_ALARM, probability=max(0.0, 1.0 - suspicion))


def shown_by(reads: Sequence[Read]) -> Motif | None:
    """What most of those reads show that are of something else; None where it has no name."""
    others = [read.motif for read in reads if read.is_anothers and read.motif and read.looks_like]
    counts = Counter(motif.code for motif in others)
    return max(others, key=lambda motif: (counts[motif.code], motif.code), default=None)


def doubt_of_case(reads: Sequence[Read]) -> Doubt | None:
    """The doubt about a whole case; None where its finding stands.

    Of many samples a few are always unlike the rest, so what is doubtful counts where it is half of
    them or more, or where it alone would raise an alarm. An alarm that stands is never hidden by
    what lies beside it.
    """
    doubts = [read.doubt for read in reads]
    if len(doubts) == 1:
        return doubts[0]
    slight = Doubt.UNCALIBRATED if Doubt.UNCALIBRATED in doubts else None
    if alarm_stands(reads):
        return slight
    grave = Counter(each for each in doubts if each not in (None, Doubt.UNCALIBRATED))
    if grave and 2 * grave.total() >= len(doubts):
        return grave.most_common(1)[0][0]
    return Doubt.UNFAMILIAR if any(r.alarms and r.is_counted for r in reads) else slight


def alarm_stands(reads: Sequence[Read]) -> bool:
    """Whether one of the reads raises an alarm, and its finding stands."""
    return any(read.alarms and read.verdict.names_finding for read in reads)
