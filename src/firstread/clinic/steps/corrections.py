"""What was done about a case that was put in wrongly, as a row that says what it was before."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F

from firstread.clinic.models import Case, Correction, Patient, Person, clock
from firstread.clinic.models.corrections import Mending
from firstread.domain.errors import BadMeasurement, WrongState


@dataclass(frozen=True, kw_only=True)
class PutInAs:
    """Under what a case was put in."""

    state: str
    accession: str
    check: str
    patient: Patient | None


def put_in_as(case: Case) -> PutInAs:
    return PutInAs(
        state=case.state,
        accession=case.accession,
        check=case.check_row_id,
        patient=case.patient,
    )


def note(action: Mending, case: Case, *, before: PutInAs, by: Person, reason: str) -> Correction:
    """Write down what was done; runs in the transaction that does it, after the change."""
    now = put_in_as(case)
    return Correction.objects.create(
        case=case,
        number=case.corrections.count() + 1,
        action=action,
        by=by,
        at=clock.now(),
        reason=reason,
        state_before=before.state,
        accession_before=before.accession,
        accession_after=now.accession,
        check_before=before.check,
        check_after=now.check,
        patient_before=before.patient,
        patient_after=now.patient,
    )


def moves(case: Case) -> int:
    """How often it was moved to another check: each time it is read anew, and people are told."""
    return case.corrections.exclude(check_before=F("check_after")).count()


def withdrawn_from(case: Case) -> str:
    """The state that a withdrawn case was in."""
    done = case.corrections.filter(action=Mending.WITHDRAWN).order_by("-number")
    return done.values_list("state_before", flat=True)[0]


def refuse_no_reason(reason: str, *, what: str) -> None:
    """Raises BadMeasurement where nothing says why."""
    if not reason:
        raise BadMeasurement(f"{what} needs a sentence that says why.", field="reason")


def join_patient(case: Case, patient: Patient | None) -> bool:
    """Whether the case had no patient before, and has one now; raises WrongState."""
    if patient is None or case.patient_id == patient.pk:
        return False
    if case.patient_id is not None:
        raise WrongState(
            "This accession belongs to another patient. Check the number and the patient."
        )
    case.patient = patient
    case.save(update_fields=["patient"])
    return True


def refuse_other_patient(case: Case, patient: Patient | None) -> None:
    """Raises WrongState where what came in again names another patient than the case does.

    Not where the case was put in so, and has been corrected since.
    """
    if patient is None or case.patient_id == patient.pk:
        return
    if case.corrections.filter(patient_before=patient).exists():
        return
    whose = "another patient's case" if case.patient_id else "a case that names no patient"
    raise WrongState(
        f"This was put in before, as {whose}. Check the number and the patient; where they are "
        "right, correct that case."
    )
