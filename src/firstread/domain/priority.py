"""How soon a person must look, in the words of FHIR request-priority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from firstread.domain.read import Read


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
    """The most pressing of the alarms that the read raises; an unsure read is at least urgent.

    `of_label` gives each label's priority, as the pack's manifest states it.
    """
    pressing = [of_label.get(label, Priority.ROUTINE) for label in read.alarms]
    if _unsure(read):
        pressing.append(Priority.URGENT)
    return max(pressing, default=Priority.ROUTINE)


def priority_of_case(reads: Sequence[Read], *, of_label: Mapping[str, Priority]) -> Priority:
    """The priority of a case: of one cell that of its read, of many that of the alarms.

    Among many cells there are always a few that the model cannot be trusted with, so they press
    only where they are half of them or more.
    """
    if len(reads) <= 1:
        return max((priority_of(r, of_label=of_label) for r in reads), default=Priority.ROUTINE)
    unsure = sum(_unsure(read) for read in reads)
    alarms = [
        of_label.get(label, Priority.ROUTINE)
        for read in reads
        if read.unfit is None
        for label in read.alarms
    ]
    if 2 * unsure >= len(reads):
        alarms.append(Priority.URGENT)
    return max(alarms, default=Priority.ROUTINE)


def _unsure(read: Read) -> bool:
    unfamiliar = read.familiarity is not None and not read.familiarity.familiar
    return read.unfit is not None or unfamiliar
