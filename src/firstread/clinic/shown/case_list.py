"""Lists of cases, newest first, in pages that hang together however many come in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from firstread.clinic.models import Case, Person, clock
from firstread.clinic.steps import final
from firstread.domain.case import CaseState
from firstread.tables.identifiers import composed


@dataclass(frozen=True, kw_only=True)
class ListedCase:
    """A case of a list, and how many samples it holds."""

    case: Case
    samples: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """A case's place in the list: what the list is ordered by."""

    received_at: datetime
    id: UUID


@dataclass(frozen=True, kw_only=True)
class CaseList:
    """Some cases of a list, and after which one the next page begins; None at the end."""

    cases: tuple[ListedCase, ...]
    next_after: Place | None


def newest_cases(
    *,
    by: Person,
    limit: int,
    after: Place | None = None,
    state: CaseState | None = None,
    check: str | None = None,
    accession: str | None = None,
) -> CaseList:
    """Up to `limit` cases after that place: none is shown twice, none is left out.

    Who is shown them has seen what was answered.
    """
    now = clock.now()
    final.learnt(by, at=now)
    number = None if accession is None else composed(accession)
    asked = {"state": state, "check_row_id": check, "accession": number}
    rows = Case.objects.filter(**{name: said for name, said in asked.items() if said is not None})
    if after is not None:
        rows = rows.filter(
            Q(received_at__lt=after.received_at) | Q(received_at=after.received_at, id__lt=after.id)
        )
    counted = rows.annotate(sample_count=Count("samples")).select_related("check_row")
    counted = counted.order_by("-received_at", "-id")
    shown = rows.order_by("-received_at", "-id").values_list("pk", flat=True)[:limit]
    final.seen(list(shown), by=by, at=now)
    found = [ListedCase(case=row, samples=row.sample_count) for row in counted[: limit + 1]]
    page = tuple(found[:limit])
    if len(found) <= limit:
        return CaseList(cases=page, next_after=None)
    last = page[-1].case
    return CaseList(cases=page, next_after=Place(received_at=last.received_at, id=last.pk))


def listed(case: Case) -> ListedCase:
    """One case as lists show it."""
    return ListedCase(case=case, samples=case.samples.count())
