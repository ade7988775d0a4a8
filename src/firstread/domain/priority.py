"""How soon a person must look, in the words of FHIR request-priority."""

from __future__ import annotations

from collections.abc import Mapping
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
    unfamiliar = read.familiarity is not None and not read.familiarity.familiar
    if read.unfit or unfamiliar:
        pressing.append(Priority.URGENT)
    return max(pressing, default=Priority.ROUTINE)
