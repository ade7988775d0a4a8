"""What was made unfit is read again: perhaps it was not its own fault."""

from __future__ import annotations

import uuid

from django.db import transaction

from firstread.clinic.models import Case, Person
from firstread.clinic.outbox.events import happened
from firstread.clinic.queue.find_case import locked_case
from firstread.clinic.steps.anew import begin_anew
from firstread.clinic.steps.who_may import may_reread
from firstread.domain.case import CaseState
from firstread.domain.errors import NotAllowed, WrongState


def reread(case_id: uuid.UUID | str, *, by: Person | None) -> Case:
    """Let the unfit case wait for its first read again; its history says why it was unfit.

    On the command line `by` is nobody. What a person has answered stands, and is never read again.
    Raises UnknownCase, NotAllowed, WrongState.
    """
    with transaction.atomic():
        case = locked_case(case_id)
        if why_not := may_reread(case, by=by):
            raise (NotAllowed if case.state == CaseState.UNFIT else WrongState)(why_not)
        before = case.unfit_reason
        begin_anew(case)
        case.save()
        happened("reread", by=by, case=case, detail={"reason": before})
    return case
