"""An answer is taken back, within ten seconds and before anybody saw it."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q

from firstread.clinic import audit
from firstread.clinic.models import Case, Outgoing, OutgoingState, Person, Review, clock
from firstread.clinic.models.decisions import Void, void
from firstread.clinic.outbox.take_out import take_out
from firstread.clinic.queue.find_case import locked_case
from firstread.clinic.steps.final import may_take_back
from firstread.clinic.steps.sign_off import decision_of
from firstread.domain.case import CaseState
from firstread.domain.errors import WrongState


def take_back(case_id: uuid.UUID | str, *, by: Person) -> Case:
    """Undo this person's answer and what came of it: nothing of it has left, nobody saw it.

    Taking back twice is once. Raises UnknownCase, WrongState (seen, too late, or no answer).
    """
    with transaction.atomic():
        case = locked_case(case_id)
        review = case.reviews.select_for_update().filter(by=by).first()
        if review is None:
            if case.void_reviews.filter(by=by, because=Void.TAKEN_BACK).exists():
                return case
            raise WrongState("You have given no answer to this case.")
        if why_not := may_take_back(review, at=clock.now()):
            raise WrongState(why_not)
        _take_out(review)
        _undo(case, review)
        audit.append("took_back", by=by, case=case, detail={"label": review.label})
    return case


def _take_out(review: Review) -> None:
    """Nothing that tells of the answer leaves; raises WrongState where something has."""
    since = Q(case=review.case_id, created_at__gte=review.at)
    take_out(since)
    if Outgoing.objects.filter(since).exclude(state=OutgoingState.WITHDRAWN).exists():
        raise WrongState("Your answer has been told already. Amend it, or ask the chief.")


def _undo(case: Case, review: Review) -> None:
    void([review], because=Void.TAKEN_BACK, at=clock.now())
    if case.decided:
        case.sign_offs.all().delete()  # the one that this answer led to: an amendment is final
        case.state = CaseState.UNFIT if case.unfit_reason else CaseState.READ
        case.decided_at = None
    case.waits_for = decision_of(case).waits_for or "specialist"
    case.save(update_fields=["state", "decided_at", "waits_for"])
