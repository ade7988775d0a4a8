"""A specialist answers: agrees with the first read, or names another label."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from firstread.clinic.models import Case, Person, Review, Role, clock
from firstread.clinic.outbox.events import happened
from firstread.clinic.outbox.notify import Occasion, tell
from firstread.clinic.queue.find_case import locked_case
from firstread.clinic.steps.final import LEAVES_AFTER, seen
from firstread.clinic.steps.sign_off import decision_of, sign_off
from firstread.clinic.steps.who_may import refuse_label, refuse_long, refuse_person, refuse_state
from firstread.domain.case import DECIDED, OTHER
from firstread.domain.errors import BadMeasurement, WrongState


def answer(
    case_id: uuid.UUID | str,
    *,
    by: Person,
    label: str,
    comment: str = "",
    confirm: str = "",
    check: str = "",
    read_at: datetime | None = None,
) -> Case:
    """Record the answer, and sign off where it decides the case; the same answer again is one.

    It can be taken back for ten seconds (`take_back.py`); what tells of it leaves afterwards.
    Agreeing with a first read that does not stand must be confirmed: `confirm` names the doubt.

    `check` and `read_at` are those that its author saw: an answer to another check, or to a case
    that was read anew since (with more samples, say), counts for nothing. Raises UnknownCase,
    NotAllowed, WrongState, BadMeasurement (label, comment or confirm).
    """
    comment = comment.strip()
    with transaction.atomic():
        case = locked_case(case_id)
        refuse_person(case, by=by)
        if _answered_already(case, by, label):
            return case
        refuse_state(case, by=by)
        _refuse_other_look(case, check=check, read_at=read_at)
        _refuse_answer(case, label, comment)
        if label == case.finding and (why_not := case.verdict.needs_confirming(confirm)):
            raise BadMeasurement(why_not, field="confirm")
        seen([case.pk], by=by, at=clock.now())  # those of others are part of what this one comes to
        review = Review.objects.create(
            case=case,
            by=by,
            label=label,
            agrees=label == case.finding,
            as_chief=by.role == Role.CHIEF,
            comment=comment,
            at=clock.now(),
        )
        happened(
            "answered",
            by=by,
            case=case,
            detail={"label": label, "agrees": review.agrees, "as_chief": review.as_chief},
            leaves_in=LEAVES_AFTER,
        )
        _settle(case, review)
    return case


def _refuse_other_look(case: Case, *, check: str, read_at: datetime | None) -> None:
    """Raises WrongState where the case is not as whoever answers has seen it."""
    if check and check != case.check_row_id:
        raise WrongState(
            f"The case was moved to the check '{case.check_row_id}' meanwhile. Look again."
        )
    if read_at is None or case.read_at is None:
        return
    if abs(case.read_at - read_at) >= timedelta(milliseconds=1):  # JSON has no finer ones
        raise WrongState(
            "The case was read anew meanwhile, maybe with more samples. Look again, then answer."
        )


def _answered_already(case: Case, by: Person, label: str) -> bool:
    mine = case.reviews.filter(by=by).first()
    if mine is None:
        return False
    if mine.label == label:
        return True
    if case.state in DECIDED:
        raise WrongState(
            "You have answered already, and the case is signed off. Amend it, or ask the chief to."
        )
    raise WrongState("You have answered already. Ask the chief if you see it differently now.")


def _refuse_answer(case: Case, label: str, comment: str) -> None:
    refuse_label(case, label)
    if label == OTHER and not comment:
        raise BadMeasurement("Say in the comment what you see.", field="comment")
    refuse_long(comment)


def _settle(case: Case, review: Review) -> None:
    decision = decision_of(case)
    if decision.label is not None and decision.basis is not None:
        sign_off(
            case,
            label=decision.label,
            basis=decision.basis,
            by=review.by,
            comment=review.comment,
            at=review.at,
        )
    else:
        case.waits_for = decision.waits_for or ""
        case.save(update_fields=["waits_for"])
        if decision.waits_for == "chief":
            happened("differ", by=None, case=case, leaves_in=LEAVES_AFTER)
            tell(Occasion.DIFFER, case=case, leaves_in=LEAVES_AFTER)
