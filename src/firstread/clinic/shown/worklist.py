"""The worklist: cases that wait for a person, most urgent first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from firstread.clinic.models import Case, Person, Reader, Review, Role, cases
from firstread.clinic.queue.find_by_words import with_words
from firstread.clinic.shown.paging import MOST_FOR_ONE, Counted, counted
from firstread.domain.case import CaseState
from firstread.domain.priority import Priority

OPEN = "open"
DECIDED_TAB = "decided"
WITHDRAWN_TAB = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many cases each tab of the worklist holds."""

    mine: Counted
    open: Counted
    decided: Counted
    withdrawn: Counted


def waiting(
    person: Person,
    *,
    check: str = "",
    state: str = "",
    priority: str = "",
    text: str = "",
    mine: bool = True,
) -> QuerySet[Case]:
    """The cases as asked, in the order in which they are listed.

    `state` is a case state, or `open`, `decided` or `withdrawn`; `mine` leaves what waits for this
    person.
    """
    rows = _mine(person) if mine else Case.objects.all()
    if check:
        rows = rows.filter(check_row=check)
    if state == OPEN:
        rows = rows.filter(cases.IS_OPEN)
    elif state == DECIDED_TAB:
        rows = rows.filter(cases.IS_DECIDED)
    elif state == WITHDRAWN_TAB:
        rows = rows.filter(cases.IS_WITHDRAWN)
    elif state:
        rows = rows.filter(state=state)
    if priority.upper() in Priority.__members__:
        rows = rows.filter(priority=Priority.named(priority))
    if text := text.strip():
        rows = with_words(rows, text)
    if state == WITHDRAWN_TAB:
        return rows.order_by(*cases.BY_WITHDRAWAL)
    newest_first = state in (DECIDED_TAB, CaseState.SIGNED_OFF, CaseState.AMENDED)
    return rows.order_by(*(cases.BY_DECISION if newest_first else cases.BY_URGENCY))


def counts(person: Person) -> Counts:
    """How many cases wait for this person, are open at all, are decided."""
    return Counts(
        mine=waits_for(person),
        open=counted(Case.objects.filter(cases.IS_OPEN)),
        decided=counted(Case.objects.filter(cases.IS_DECIDED)),
        withdrawn=counted(Case.objects.filter(cases.IS_WITHDRAWN)),
    )


def next_case(person: Person, *, after: Case) -> uuid.UUID | None:
    """The most urgent other case that waits for this person."""
    others = _mine(person).exclude(pk=after.pk)
    return others.order_by(*cases.BY_URGENCY).values_list("pk", flat=True).first()


def waits_for(person: Person) -> Counted:
    """How many cases wait for this person."""
    return counted(_mine(person), most=MOST_FOR_ONE)


def _mine(person: Person) -> QuerySet[Case]:
    if person.role == Role.TECHNICIAN:
        return Case.objects.filter(cases.IS_OPEN, requester=person)
    if person.role == Role.OPERATOR:
        return Case.objects.none()
    # Asked of each case on the way: what the case waits for says that it has been read.
    answered = Exists(Review.objects.filter(case=OuterRef("pk"), by=person))
    reads = Exists(Reader.objects.filter(check_row=OuterRef("check_row"), person=person))
    theirs = Q(reads, waits_for="specialist")
    if person.role == Role.CHIEF:
        theirs |= Q(waits_for="chief")
    return Case.objects.filter(cases.IS_OPEN, theirs, ~answered)
