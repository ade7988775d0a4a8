"""Cases whose first read waits for something that is no fault of theirs, and why."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from firstread.clinic.models import AuditRow, Case, Check
from firstread.domain.case import CaseState

WAITS = "waits"
"""The action of the audit row that a case has when it begins to wait; `reason` says why."""


def waits(case: Case) -> bool:
    """Whether it was tried, and is tried again."""
    return case.state == CaseState.RECEIVED and case.retry_at is not None


def why_waiting(cases: Iterable[Case]) -> dict[uuid.UUID, str]:
    """Why each of those that wait does, by case."""
    waiting = [case.pk for case in cases if waits(case)]
    if not waiting:
        return {}
    rows = AuditRow.objects.filter(case_id__in=waiting, action=WAITS).order_by("number")
    return {row.case_id: row.detail["reason"] for row in rows if row.case_id is not None}


def last_trouble(case: Case) -> str:
    """The kind of trouble that the case was last said to wait for."""
    rows = AuditRow.objects.filter(case_id=case.pk, action=WAITS).order_by("-number")
    last = rows.first()
    return str(last.detail.get("trouble", "")) if last else ""


def why_cases_wait(check: Check) -> str:
    """Why cases of the check wait at the moment, or '' where none does."""
    last = (
        Case.objects.filter(check_row=check, state=CaseState.RECEIVED, retry_at__isnull=False)
        .order_by("-retry_at")
        .first()
    )
    return why_waiting([last]).get(last.pk, "") if last else ""
