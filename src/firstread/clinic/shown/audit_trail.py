"""What the page of the audit trail shows: its rows, newest first, and whether it adds up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from firstread.clinic import audit
from firstread.clinic.models import AuditRow
from firstread.clinic.shown.paging import Counted, Pager, pager_of
from firstread.domain.errors import AuditBroken

PER_PAGE = 60


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    """One row, with its time as a time."""

    row: AuditRow
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What following the whole trail came to."""

    sentence: str
    broken: bool


@dataclass(frozen=True, kw_only=True)
class AuditPage:
    """One page of the trail."""

    lines: tuple[AuditLine, ...]
    pager: Pager
    verdict: Verdict | None


def verified() -> Verdict:
    """Follow the whole trail."""
    try:
        rows = audit.verify().rows
    except AuditBroken as error:
        return Verdict(sentence=str(error), broken=True)
    said = f"The trail adds up: {rows} rows, none changed, removed or put in."
    return Verdict(sentence=said, broken=False)


def audit_page(number: str | None, *, verdict: Verdict | None) -> AuditPage:
    """The page of that number; rows are numbered without a gap, so none are counted."""
    newest = AuditRow.objects.order_by("-number").values_list("number", flat=True).first() or 0
    pager = pager_of(number, total=Counted(number=newest), size=PER_PAGE)
    rows = AuditRow.objects.filter(
        number__lte=newest - pager.first + 1, number__gt=newest - pager.last
    )
    return AuditPage(
        lines=tuple(
            AuditLine(row=row, at=datetime.fromisoformat(row.at))
            for row in rows.order_by("-number")
        ),
        pager=pager,
        verdict=verdict,
    )
