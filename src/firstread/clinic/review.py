"""A specialist answers: agrees with the first read, or names another label."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from firstread.clinic import audit, registry
from firstread.clinic.lookup import locked_case
from firstread.clinic.models import Case, Check, Person, Review, Role, SignOff
from firstread.clinic.notify import Occasion, tell
from firstread.domain.case import (
    DECIDED,
    NO_ALARM,
    OTHER,
    WAITING,
    Answer,
    Basis,
    CaseState,
    decide,
)
from firstread.domain.errors import BadMeasurement, NotAllowed, PackRefused, UnknownPack, WrongState


def answer(case_id: uuid.UUID | str, *, by: Person, label: str, comment: str = "") -> Case:
    """Record the answer, and sign off where it decides the case; the same answer again is one.

    Raises UnknownCase, NotAllowed, WrongState, BadMeasurement (label or comment).
    """
    comment = comment.strip()
    with transaction.atomic():
        case = locked_case(case_id)
        _refuse_person(case, by)
        if _answered_already(case, by, label):
            return case
        _refuse_state(case, by)
        _refuse_answer(case, label, comment)
        review = Review.objects.create(
            case=case,
            by=by,
            label=label,
            agrees=label == case.finding,
            as_chief=by.role == Role.CHIEF,
            comment=comment,
            at=timezone.now(),
        )
        audit.append(
            "answered",
            by=by,
            case=case,
            detail={"label": label, "agrees": review.agrees, "as_chief": review.as_chief},
        )
        _settle(case, review)
    return case


def answers_for(case: Case) -> list[tuple[str, str]]:
    """The answers that a specialist may give, as (code, title)."""
    return answers_of(case.check_row, many=case.samples.count() > 1)


def answers_of(check: Check, *, many: bool) -> list[tuple[str, str]]:
    """The labels of the check's pack; of many cells also that none is alarming; and other."""
    try:
        labels = [(each.code, each.title) for each in registry.manifest_of(check).labels]
    except (PackRefused, UnknownPack):
        labels = []  # the pack is gone; people can still say in words what they see
    if many:
        labels.append((NO_ALARM, "No alarming cell"))
    return [*labels, (OTHER, "Something else (say what)")]


def may_answer(case: Case, *, by: Person) -> str:
    """Why this person may not answer the case now; empty where they may."""
    try:
        _refuse_person(case, by)
        _refuse_state(case, by)
    except (NotAllowed, WrongState) as error:
        return str(error)
    return ""


def reads_check(person: Person, check: str) -> bool:
    """Whether this person decides cases of the check."""
    return person.role == Role.CHIEF or (
        person.role == Role.SPECIALIST and person.reads.filter(check_row=check).exists()
    )


def _refuse_person(case: Case, by: Person) -> None:
    if not by.is_active or not reads_check(by, case.check_row_id):
        raise NotAllowed(
            "Only a specialist who reads this check, or the chief, may answer. "
            "An operator can add you on the people page."
        )


def _answered_already(case: Case, by: Person, label: str) -> bool:
    mine = case.reviews.filter(by=by).first()
    if mine is None:
        return False
    if mine.label == label:
        return True
    if case.state in DECIDED:
        raise WrongState("You have answered already, and the case is signed off. Amend it instead.")
    raise WrongState("You have answered already. Ask the chief if you see it differently now.")


def _refuse_state(case: Case, by: Person) -> None:
    if case.state == CaseState.RECEIVED:
        raise WrongState("The case has not been read yet. Wait a moment.")
    if case.state not in WAITING:
        raise WrongState("The case is signed off already. Amend it if it needs correcting.")
    if case.reviews.filter(by=by).exists():
        raise WrongState("You have answered already.")
    if case.waits_for == "chief" and by.role != Role.CHIEF:
        raise WrongState("Two specialists differ on this case, and it waits for the chief.")


def _refuse_answer(case: Case, label: str, comment: str) -> None:
    if label not in {code for code, _title in answers_for(case)}:
        raise BadMeasurement(
            "This is no answer for this check. Choose one of those shown.", field="label"
        )
    if label == OTHER and not comment:
        raise BadMeasurement("Say in the comment what you see.", field="comment")
    if len(comment) > 4000:
        raise BadMeasurement(
            "The comment is longer than 4000 characters. Shorten it.", field="comment"
        )


def _settle(case: Case, review: Review) -> None:
    answers = [
        Answer(by=each.by.username, label=each.label, chief=each.as_chief)
        for each in case.reviews.select_related("by").order_by("at", "pk")
    ]
    decision = decide(answers, readers=case.check_row.readers)
    if decision.label is not None and decision.basis is not None:
        _sign_off(case, review, label=decision.label, basis=decision.basis)
    else:
        case.waits_for = decision.waits_for or ""
        case.save(update_fields=["waits_for"])
        if decision.waits_for == "chief":
            audit.append("differ", by=None, case=case)
            tell(Occasion.DIFFER, case=case)


def _sign_off(case: Case, review: Review, *, label: str, basis: Basis) -> None:
    SignOff.objects.create(
        case=case,
        number=0,
        label=label,
        basis=basis,
        by=review.by,
        comment=review.comment,
        at=review.at,
    )
    case.state, case.waits_for, case.decided_at = CaseState.SIGNED_OFF, "", review.at
    case.save(update_fields=["state", "waits_for", "decided_at"])
    audit.append(
        "signed_off",
        by=review.by,
        case=case,
        detail={"label": label, "basis": str(basis)},
    )
    if case.check_row.tells_requester:
        tell(Occasion.SIGNED_OFF, case=case)
