"""The checks with what their packs know, and the packs that are on the shelves."""

from __future__ import annotations

from dataclasses import dataclass

from firstread.clinic.checks.checks import all_checks, known_manifest
from firstread.clinic.checks.readers import servers_of, trouble
from firstread.clinic.models import Check, Person
from firstread.clinic.queue.waiting import why_cases_wait
from firstread.domain.errors import PackRefused
from firstread.packs import Manifest, list_packs, open_manifest


@dataclass(frozen=True, kw_only=True)
class ShownCheck:
    """A check; without a manifest where its pack cannot be opened."""

    check: Check
    manifest: Manifest | None


@dataclass(frozen=True, kw_only=True)
class CheckCard:
    """A check on the checks page."""

    check: Check
    manifest: Manifest | None
    people: tuple[Person, ...]
    trouble: str | None
    """Why its pack cannot be opened; None where it can."""
    waits_because: str
    """Why cases of it wait for a server; empty where none does."""
    servers: tuple[str, ...]
    """That read for it; none where it is read here."""


@dataclass(frozen=True, kw_only=True)
class ChecksPage:
    """The checks page."""

    cards: tuple[CheckCard, ...]
    may_change: bool
    readers: tuple[tuple[int, str], ...]
    """How many may be asked to decide, in words."""


def checks_page(*, may_change: bool) -> ChecksPage:
    """Every check by title, with who reads it and what ails it."""
    return ChecksPage(
        cards=tuple(_card(check) for check in Check.objects.prefetch_related("people")),
        may_change=may_change,
        readers=tuple(Check._meta.get_field("readers").flatchoices),
    )


def shown_checks() -> list[ShownCheck]:
    """Every check by title, those that are switched off too."""
    return [ShownCheck(check=check, manifest=known_manifest(check)) for check in all_checks()]


def shown_packs() -> list[Manifest]:
    """The packs that can be opened; their page and `firstread doctor` say what ails the others."""
    packs = []
    for folder in list_packs():
        try:
            packs.append(open_manifest(folder))
        except PackRefused:
            continue
    return packs


def _card(check: Check) -> CheckCard:
    return CheckCard(
        check=check,
        manifest=known_manifest(check),
        people=tuple(check.people.all()),
        trouble=trouble(check),
        waits_because=why_cases_wait(check),
        servers=servers_of(check),
    )
