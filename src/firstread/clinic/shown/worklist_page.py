"""Everything that the worklist page shows: its tabs, filters, and the cases of one page."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from firstread.clinic.checks.checks import all_checks
from firstread.clinic.models import Check, Person, Role, clock
from firstread.clinic.shown import worklist
from firstread.clinic.shown.paging import (
    MOST,
    MOST_FOR_ONE,
    MOST_FOUND,
    Counted,
    Pager,
    counted,
    pager_of,
    rows_on,
)
from firstread.clinic.shown.worklist import DECIDED_TAB, OPEN, WITHDRAWN_TAB, Asked
from firstread.clinic.shown.worklist_rows import Row, rows_of
from firstread.clinic.steps import final
from firstread.domain.priority import Priority

PER_PAGE = 25
MINE = "mine"


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One of the lists, and how much it holds."""

    title: str
    count: Counted
    here: bool
    href: str


@dataclass(frozen=True, kw_only=True)
class WorklistPage:
    """One page of the worklist as this person sees it."""

    show: str
    """Which list: `mine`, `open`, `decided` or `withdrawn`."""
    tabs: tuple[Tab, ...]
    filters: Asked
    checks: tuple[Check, ...]
    priorities: tuple[str, ...]
    rows: tuple[Row, ...]
    pager: Pager
    greeting: str
    waits: Counted
    """How many cases wait for this person."""


def worklist_page(person: Person, *, asked: Asked, number: str | None) -> WorklistPage:
    """The page of that number of a list; of what waits for this person where none is named."""
    show = asked.shown_to(person) or MINE
    final.learnt(person, at=clock.now())  # a list says of a case whether it is decided
    counts = worklist.counts(person)
    cases = asked.of(person)
    whole = {
        MINE: counts.mine,
        OPEN: counts.open,
        DECIDED_TAB: counts.decided,
        WITHDRAWN_TAB: counts.withdrawn,
    }[show]
    if asked:
        most = MOST_FOR_ONE if show == MINE else MOST
        whole = counted(cases, most=MOST_FOUND if asked.text else most)
    pager = pager_of(number, total=whole, size=PER_PAGE)
    return WorklistPage(
        show=show,
        tabs=_tabs(person, show, counts=counts, asked=asked),
        filters=asked,
        checks=tuple(all_checks()),
        priorities=tuple(each.name.lower() for each in reversed(Priority)),
        rows=rows_of(rows_on(cases, pager)),
        pager=pager,
        greeting=_greeting(person, mine=counts.mine),
        waits=counts.mine,
    )


def _address(asked: Asked) -> str:
    return reverse("worklist") + (f"?{asked.address}" if asked.address else "")


def _greeting(person: Person, *, mine: Counted) -> str:
    if person.role == Role.TECHNICIAN:
        are = "is" if mine.number == 1 else "are"
        return f"{mine} of the samples you put in {are} not decided yet."
    if person.role == Role.OPERATOR:
        return "Every case, as the others see it."
    if not mine.number:
        return "Nothing waits for you. What comes in appears here by itself."
    waits = "case waits" if mine.number == 1 else "cases wait"
    return f"{mine} {waits} for your word, the most urgent first."


def _tabs(person: Person, show: str, *, counts: worklist.Counts, asked: Asked) -> tuple[Tab, ...]:
    """A search is kept from tab to tab, and left where somebody goes to the worklist anew."""
    mine = "Put in by me" if person.role == Role.TECHNICIAN else "Waiting for me"
    tabs = [
        (MINE, mine, counts.mine),
        (OPEN, "All open", counts.open),
        (DECIDED_TAB, "Decided", counts.decided),
        (WITHDRAWN_TAB, "Withdrawn", counts.withdrawn),
    ]
    return tuple(
        Tab(
            title=title,
            count=count,
            here=show == name,
            href=_address(Asked(show="" if name == MINE else name, found=asked.found)),
        )
        for name, title, count in tabs
        if name != MINE or person.role != Role.OPERATOR
    )
