"""What changed: a number that grows with every change of any case, in whichever process."""

from __future__ import annotations

import uuid

from firstread.clinic.models import AuditRow
from firstread.clinic.models.trail import CHANGES
from firstread.clinic.queue.find_case import found_case


def latest() -> int:
    """The number of the newest change."""
    return (
        AuditRow.objects.filter(CHANGES)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
        or 0
    )


def since(number: int) -> list[uuid.UUID]:
    """The cases that changed after that number."""
    rows = (
        AuditRow.objects.filter(number__gt=number, case_id__isnull=False)
        .filter(CHANGES)
        .order_by()
        .values_list("case_id", flat=True)
        .distinct()[:500]
    )
    return [case_id for case_id in rows if case_id is not None]


def changed(case_id: uuid.UUID) -> int:
    """The number of the newest change of one case."""
    return (
        AuditRow.objects.filter(case_id=case_id)
        .filter(CHANGES)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
        or 0
    )


def stamp(case_id: uuid.UUID) -> int:
    """The same of a case that an open page shows; raises UnknownCase."""
    return changed(found_case(case_id).pk)
