"""A decision is corrected: the amendment is added, the earlier word stays readable."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from firstread.clinic import audit
from firstread.clinic.lookup import locked_case
from firstread.clinic.models import Case, Person, Role, SignOff
from firstread.clinic.review import answers_for, reads_check
from firstread.domain.case import DECIDED, Basis, CaseState
from firstread.domain.errors import BadMeasurement, NotAllowed, WrongState


def amend(case_id: uuid.UUID | str, *, by: Person, label: str, comment: str) -> Case:
    """Correct a signed-off case; the same amendment again is one.

    Raises UnknownCase, NotAllowed, WrongState, BadMeasurement (label or comment).
    """
    comment = comment.strip()
    with transaction.atomic():
        case = locked_case(case_id)
        if why_not := may_amend(case, by=by):
            kind = WrongState if case.state not in DECIDED else NotAllowed
            raise kind(why_not)
        last = case.sign_offs.order_by("number").last()
        if last is None:
            raise WrongState("The case has no sign-off to correct. Answer it first.")
        if (last.basis, last.by_id, last.label, last.comment) == (
            Basis.AMENDMENT,
            by.pk,
            label,
            comment,
        ):
            return case
        _refuse(case, label, comment, now=last.label)
        amendment = SignOff.objects.create(
            case=case,
            number=last.number + 1,
            label=label,
            basis=Basis.AMENDMENT,
            by=by,
            comment=comment,
            at=timezone.now(),
        )
        case.state = CaseState.AMENDED
        case.save(update_fields=["state"])
        audit.append(
            "amended", by=by, case=case, detail={"label": label, "number": amendment.number}
        )
    return case


def may_amend(case: Case, *, by: Person) -> str:
    """Why this person may not amend the case now; empty where they may."""
    if case.state not in DECIDED:
        return "The case is not signed off yet. Answer it instead."
    reviewed = reads_check(by, case.check_row_id) and case.reviews.filter(by=by).exists()
    if not by.is_active or not (by.role == Role.CHIEF or reviewed):
        return "Only the chief, or a specialist who answered this case, may amend it."
    return ""


def _refuse(case: Case, label: str, comment: str, *, now: str) -> None:
    if label not in {code for code, _title in answers_for(case)}:
        raise BadMeasurement(
            "This is no answer for this check. Choose one of those shown.", field="label"
        )
    if not comment:
        raise BadMeasurement("An amendment needs a comment that says why.", field="comment")
    if len(comment) > 4000:
        raise BadMeasurement(
            "The comment is longer than 4000 characters. Shorten it.", field="comment"
        )
    if label == now:
        raise WrongState("The case says so already. An amendment names another label.")
