"""How soon a person must look, in the words of FHIR request-priority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from firstread.domain.case import doubt_of_case
from firstread.domain.read import Read
from firstread.domain.verdict import Doubt


class Priority(IntEnum):
    """Greater is more pressing, so that a worklist sorts by the number.

    >>> max(Priority.URGENT, Priority.STAT).name
    'STAT'
    """

    ROUTINE = 0
    URGENT = 1
    ASAP = 2
    STAT = 3

    @classmethod
    def named(cls, name: str) -> Priority:
        return cls[name.upper()]


def priority_of(read: Read, *, of_label: Mapping[str, Priority]) -> Priority:
    """The most pressing of the alarms that the read raises; one that does not stand is urgent.

    What would raise an alarm, if the read stood, keeps its place in the list: it may be true, and
    must not wait. It looks and sounds like none. `of_label` gives each label's priority, as the
    pack's manifest states it.
    """
    alarm = _alarm([read], of_label=of_label)
    return alarm if read.verdict.names_finding else max(alarm, Priority.URGENT)


def priority_of_case(reads: Sequence[Read], *, of_label: Mapping[str, Priority]) -> Priority:
    """The priority of a case: of one cell that of its read, of many that of the alarms.

    Among many cells there are always a few that the model cannot be trusted with, so they press
    only where they make the whole case doubtful.
    """
    if len(reads) <= 1:
        return max((priority_of(r, of_label=of_label) for r in reads), default=Priority.ROUTINE)
    alarm = _alarm([read for read in reads if read.unfit is None], of_label=of_label)
    doubtful = doubt_of_case(reads) not in (None, Doubt.UNCALIBRATED)
    return max(alarm, Priority.URGENT) if doubtful else alarm


def _alarm(reads: Sequence[Read], *, of_label: Mapping[str, Priority]) -> Priority:
    raised = (of_label.get(label, Priority.ROUTINE) for read in reads for label in read.alarms)
    return max(raised, default=Priority.ROUTINE)
