"""What was corrected, withdrawn or reinstated, and what may be: as pages and the API show it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from firstread.clinic.checks.checks import enabled_checks
from firstread.clinic.models import Case, Check, Correction, Patient, Person
from firstread.clinic.models.corrections import Mending
from firstread.clinic.queue.find_case import found_case
from firstread.clinic.steps.who_may import may_correct
from firstread.domain.errors import NotAllowed


@dataclass(frozen=True, kw_only=True)
class CorrectPage:
    """The page on which a case is corrected, withdrawn or reinstated."""

    case: Case
    checks: tuple[Check, ...]
    """Those that it may be moved to, and its own."""
    others: tuple[Case, ...]
    """What else stands under its accession, and may be as wrong."""
    said: tuple[str, ...]
    """What was done before, in sentences."""


def correct_page(case_id: uuid.UUID, *, by: Person) -> CorrectPage:
    """Raises UnknownCase, NotAllowed."""
    case = found_case(case_id)
    if why_not := may_correct(case, by=by):
        raise NotAllowed(why_not)
    same = Case.objects.filter(accession=case.accession).exclude(pk=case.pk)
    return CorrectPage(
        case=case,
        checks=_checks_for(case),
        others=tuple(same.select_related("check_row", "patient").order_by("received_at")),
        said=tuple(said_of(each) for each in corrections_of(case)),
    )


def corrections_of(case: Case) -> list[Correction]:
    """What was done about the case, oldest first."""
    rows = case.corrections.select_related("by", "patient_before", "patient_after")
    return list(rows.order_by("number"))


def said_of(done: Correction) -> str:
    """What somebody did, as a history says it after their name."""
    why = f": {done.reason}" if done.reason else ""
    if done.action == Mending.WITHDRAWN:
        return f"withdrew it{why}"
    if done.action == Mending.REINSTATED:
        return f"reinstated it{why}"
    before, after = _number(done.patient_before), _number(done.patient_after)
    pairs = [
        ("accession", done.accession_before, done.accession_after),
        ("patient", before, after),
        ("check", done.check_before, done.check_after),
    ]
    changed = [f"the {what} from {old} to {new}" for what, old, new in pairs if old != new]
    again = ", which reads it anew" if done.check_before != done.check_after else ""
    return f"corrected {' and '.join(changed) or 'it'}{again}{why}"


def _number(patient: Patient | None) -> str:
    return patient.identifier if patient else "none"


def _checks_for(case: Case) -> tuple[Check, ...]:
    own, many = case.check_row, case.samples.count() > 1
    fitting = [
        each
        for each in enabled_checks()
        if each.pk != own.pk and each.kind == own.kind and (each.many or not many)
    ]
    return (own,) if case.decided_at is not None else (own, *fitting)
