"""The worklist: cases that wait for a person, most urgent first."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

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
class Asked:
    """Which list of cases somebody looks at, and by what it is narrowed."""

    show: str = ""
    """`open`, `decided` or `withdrawn`; else what waits for this person."""
    check: str = ""
    priority: str = ""
    text: str = ""
    found: str = ""
    """What addresses say of the text, which must not stand there itself."""

    def __bool__(self) -> bool:
        """Whether anything narrows it."""
        return bool(self.check or self.priority or self.text)

    @property
    def address(self) -> str:
        """What of an address asks for this list."""
        said = {
            "show": self.show,
            "check": self.check,
            "priority": self.priority,
            "found": self.found,
        }
        return urlencode({name: value for name, value in said.items() if value})

    @property
    def suffix(self) -> str:
        """What the address of a case ends with, so that its page knows the list."""
        return f"?{urlencode({'list': self.address})}" if self.address else ""

    def shown_to(self, person: Person) -> str:
        """Which list it is; '' of what waits for this person."""
        if self.show in (OPEN, DECIDED_TAB, WITHDRAWN_TAB):
            return self.show
        # Nothing ever waits for an operator, so they see what is open.
        return OPEN if person.role == Role.OPERATOR else ""

    def of(self, person: Person) -> QuerySet[Case]:
        """Its cases, in their order."""
        show = self.shown_to(person)
        return waiting(
            person,
            mine=not show,
            state=show,
            check=self.check,
            priority=self.priority,
            text=self.text,
        )


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The cases beside one in a list."""

    next_case: uuid.UUID | None = None
    previous: uuid.UUID | None = None


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


def beside(person: Person, asked: Asked, *, case: Case) -> Beside:
    """What stands before and after the case in that list, whether or not it is still in there.

    After the last that waits for this person comes the first, which is the most urgent one.
    """
    rows = asked.of(person).exclude(pk=case.pk)
    order = [str(each) for each in rows.query.order_by]
    if any(_value(case, name) is None for name in order):
        return Beside(next_case=_first(rows))
    after = _first(rows.filter(_past(case, order)))
    if after is None and not asked.shown_to(person):
        after = _first(rows)
    back = [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in order]
    before = rows.filter(_past(case, back)).order_by(*back)
    return Beside(next_case=after, previous=_first(before))


def _past(case: Case, order: Sequence[str]) -> Q:
    """What comes after the case in that order."""
    found, same = Q(), Q()
    for name in order:
        field, way = name.removeprefix("-"), "lt" if name.startswith("-") else "gt"
        found |= same & Q(**{f"{field}__{way}": _value(case, name)})
        same &= Q(**{field: _value(case, name)})
    return found


def _value(case: Case, name: str) -> Any:
    return getattr(case, name.removeprefix("-"))


def _first(rows: QuerySet[Case]) -> uuid.UUID | None:
    return rows.values_list("pk", flat=True).first()


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
