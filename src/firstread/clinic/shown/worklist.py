"""The worklist: cases that wait for a person, most urgent first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from firstread.clinic.models import Case, Person, Review, Role
from firstread.clinic.shown.paging import Counted, counted
from firstread.domain.case import DECIDED, WAITING, CaseState
from firstread.domain.priority import Priority

OPEN = "open"
DECIDED_TAB = "decided"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many cases each tab of the worklist holds."""

    mine: Counted
    open: Counted
    decided: Counted


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

    `state` is a case state, or `open`, or `decided`; `mine` leaves what waits for this person.
    """
    rows = _mine(person) if mine else Case.objects.all()
    if check:
        rows = rows.filter(check_row=check)
    if state == OPEN:
        rows = rows.exclude(state__in=DECIDED)
    elif state == DECIDED_TAB:
        rows = rows.filter(state__in=DECIDED)
    elif state:
        rows = rows.filter(state=state)
    if priority.upper() in Priority.__members__:
        rows = rows.filter(priority=Priority.named(priority))
    if text := text.strip():
        rows = rows.filter(
            Q(accession__icontains=text)
            | Q(patient__identifier__icontains=text)
            | Q(patient__name__icontains=text)
        )
    newest_first = state in (DECIDED_TAB, CaseState.SIGNED_OFF, CaseState.AMENDED)
    order = ["-decided_at"] if newest_first else ["-priority", "received_at"]
    return rows.order_by(*order, "pk")


def counts(person: Person) -> Counts:
    """How many cases wait for this person, are open at all, are decided."""
    return Counts(
        mine=waits_for(person),
        open=counted(Case.objects.exclude(state__in=DECIDED)),
        decided=counted(Case.objects.filter(state__in=DECIDED)),
    )


def next_case(person: Person, *, after: Case) -> uuid.UUID | None:
    """The most urgent other case that waits for this person."""
    others = _mine(person).exclude(pk=after.pk)
    return others.order_by("-priority", "received_at", "pk").values_list("pk", flat=True).first()


def waits_for(person: Person) -> Counted:
    """How many cases wait for this person."""
    return counted(_mine(person))


def _mine(person: Person) -> QuerySet[Case]:
    if person.role == Role.TECHNICIAN:
        return Case.objects.filter(requester=person).exclude(state__in=DECIDED)
    if person.role == Role.OPERATOR:
        return Case.objects.none()
    answered = Review.objects.filter(case=OuterRef("pk"), by=person)
    theirs = Q(waits_for="specialist", check_row__in=person.reads.values("check_row"))
    if person.role == Role.CHIEF:
        theirs |= Q(waits_for="chief")
    return Case.objects.filter(theirs, ~Exists(answered), state__in=WAITING)
