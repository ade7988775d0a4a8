"""Lists of cases, newest first, in pages that hang together however many come in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from firstread.clinic.models import Case
from firstread.domain.case import CaseState
from firstread.domain.priority import Priority


@dataclass(frozen=True, kw_only=True)
class ListedCase:
    """A case as lists show it."""

    id: UUID
    check: str
    accession: str
    part: int
    state: CaseState
    priority: Priority
    waits_for: str
    finding: str | None
    probability: float | None
    unfit_reason: str | None
    samples: int
    received_at: datetime
    read_at: datetime | None
    decided_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Place:
    """A case's place in the list: what the list is ordered by."""

    received_at: datetime
    id: UUID


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """Some cases of a list, and after which one the next page begins; None at the end."""

    cases: tuple[ListedCase, ...]
    next_after: Place | None


def newest_cases(
    *,
    limit: int,
    after: Place | None = None,
    state: CaseState | None = None,
    check: str | None = None,
    accession: str | None = None,
) -> CasePage:
    """Up to `limit` cases after that place: none is shown twice, none is left out."""
    asked = {"state": state, "check_row_id": check, "accession": accession}
    rows = Case.objects.filter(**{name: said for name, said in asked.items() if said is not None})
    if after is not None:
        rows = rows.filter(
            Q(received_at__lt=after.received_at) | Q(received_at=after.received_at, id__lt=after.id)
        )
    counted = rows.annotate(sample_count=Count("samples")).order_by("-received_at", "-id")
    found = [_listed(row, samples=row.sample_count) for row in counted[: limit + 1]]
    page = tuple(found[:limit])
    if len(found) <= limit:
        return CasePage(cases=page, next_after=None)
    return CasePage(cases=page, next_after=Place(received_at=page[-1].received_at, id=page[-1].id))


def listed(case: Case) -> ListedCase:
    """One case as lists show it."""
    return _listed(case, samples=case.samples.count())


def _listed(case: Case, *, samples: int) -> ListedCase:
    return ListedCase(
        id=case.pk,
        check=case.check_row_id,
        accession=case.accession,
        part=case.part,
        state=CaseState(case.state),
        priority=Priority(case.priority),
        waits_for=case.waits_for,
        finding=case.finding or None,
        probability=case.probability,
        unfit_reason=case.unfit_reason or None,
        samples=samples,
        received_at=case.received_at,
        read_at=case.read_at,
        decided_at=case.decided_at,
    )
