"""A case that should not be is withdrawn; what was withdrawn wrongly is reinstated."""

from __future__ import annotations

import uuid

from django.db import transaction

from firstread.clinic.models import Case, Person, clock
from firstread.clinic.models.corrections import Mending
from firstread.clinic.outbox.events import happened
from firstread.clinic.outbox.notify import Occasion, tell
from firstread.clinic.outbox.take_out import take_out_letters
from firstread.clinic.queue import wake
from firstread.clinic.queue.find_case import locked_case
from firstread.clinic.steps.corrections import (
    moves,
    note,
    put_in_as,
    refuse_no_reason,
    withdrawn_from,
)
from firstread.clinic.steps.final import used
from firstread.clinic.steps.sign_off import amendment, decision_of
from firstread.clinic.steps.who_may import refuse_correcting, refuse_long
from firstread.domain.case import NO_RESULT, CaseState
from firstread.domain.errors import WrongState


def withdraw(case_id: uuid.UUID | str, *, by: Person, reason: str, decides: bool = True) -> Case:
    """Withdraw the case: nobody is asked about it, no result of it stands; all of it stays.

    Withdrawing twice is once. A signed-off case is withdrawn by an amendment. Raises UnknownCase,
    NotAllowed, BadMeasurement (no reason).
    """
    with transaction.atomic():
        case = locked_case(case_id)
        refuse_correcting(case, by=by, decides=decides)
        if case.withdrawn:
            return case
        reason = _reason(reason, what="A withdrawal")
        used(case)
        take_out_letters(case)
        before, last = put_in_as(case), case.sign_offs.last()
        if last is not None:
            amendment(case, label=NO_RESULT, by=by, comment=reason)
        case.state, case.waits_for, case.withdrawn_at = CaseState.WITHDRAWN, "", clock.now()
        case.claimed_until = case.held_by = case.retry_at = None
        case.save()
        done = note(Mending.WITHDRAWN, case, before=before, by=by, reason=reason)
        if last is None and case.check_row.tells_requester and case.requester_id != by.pk:
            tell(Occasion.WITHDRAWN, case=case, number=done.number)
        happened("withdrawn", by=by, case=case, detail={"number": done.number})
    return case


def reinstate(case_id: uuid.UUID | str, *, by: Person, reason: str, decides: bool = True) -> Case:
    """Let a withdrawn case be again; one that stands stays as it is.

    An open one is where it was, with its reads and answers; a decided one says again, by an
    amendment, what it said before. Raises UnknownCase, NotAllowed, WrongState (it was put in
    anew meanwhile), BadMeasurement (no reason).
    """
    with transaction.atomic():
        case = locked_case(case_id)
        refuse_correcting(case, by=by, decides=decides)
        if not case.withdrawn:
            return case
        reason = _reason(reason, what="Reinstating a case")
        _refuse_doubled(case)
        before = put_in_as(case)
        case.withdrawn_at, case.attempts = None, 0
        _resume(case, by=by, reason=reason)
        case.save()
        done = note(Mending.REINSTATED, case, before=before, by=by, reason=reason)
        happened("reinstated", by=by, case=case, detail={"number": done.number})
    return case


def _resume(case: Case, *, by: Person, reason: str) -> None:
    said = case.sign_offs.exclude(label=NO_RESULT).last()
    if said is not None:
        amendment(case, label=said.label, by=by, comment=reason)
        return
    case.state = withdrawn_from(case)
    if case.state == CaseState.RECEIVED:
        transaction.on_commit(wake.reading.ring)
        return
    case.waits_for = decision_of(case).waits_for or "specialist"
    tell(Occasion.READ, case=case, number=moves(case))  # whoever was not told before
    if case.waits_for == "chief":
        tell(Occasion.DIFFER, case=case)


def _reason(reason: str, *, what: str) -> str:
    reason = reason.strip()
    refuse_no_reason(reason, what=what)
    refuse_long(reason)
    return reason


def _refuse_doubled(case: Case) -> None:
    again = Case.objects.filter(
        check_row=case.check_row_id,
        accession=case.accession,
        withdrawn_at=None,
        samples__sample__in=case.samples.values("sample"),
    )
    if again.exists():
        raise WrongState("Its samples were put in again under this accession. Answer that case.")
