"""A decision is corrected: the amendment is added, the earlier word stays readable."""

from __future__ import annotations

import uuid

from django.db import transaction

from firstread.clinic.models import Case, Person
from firstread.clinic.queue.find_case import locked_case
from firstread.clinic.steps.sign_off import amendment
from firstread.clinic.steps.who_may import may_amend, refuse_label, refuse_long
from firstread.domain.case import DECIDED, OTHER, Basis
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
        amendment(case, label=label, by=by, comment=comment)
    return case


def _refuse(case: Case, label: str, comment: str, *, now: str) -> None:
    refuse_label(case, label)
    if not comment:
        raise BadMeasurement("An amendment needs a comment that says why.", field="comment")
    refuse_long(comment)
    if label == now and label != OTHER:  # what else it is, its comment says
        raise WrongState("The case says so already. An amendment names another label.")
