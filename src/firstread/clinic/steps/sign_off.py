"""A case ends, or its decision is amended: that is written, and who waits for it is told."""

from __future__ import annotations

from datetime import datetime

from firstread.clinic.models import Case, Person, SignOff, clock
from firstread.clinic.outbox.events import happened
from firstread.clinic.outbox.notify import Occasion, tell
from firstread.clinic.steps.final import LEAVES_AFTER, used
from firstread.domain.case import Answer, Basis, CaseState, Decision, decide


def sign_off(
    case: Case, *, label: str, basis: Basis, by: Person, comment: str, at: datetime
) -> None:
    """Write the decision that ends the case; runs in the transaction that holds it.

    What tells of it leaves once the answer can no longer be taken back.
    """
    SignOff.objects.create(
        case=case, number=0, label=label, basis=basis, by=by, comment=comment, at=at
    )
    case.state, case.waits_for, case.decided_at = CaseState.SIGNED_OFF, "", at
    case.save(update_fields=["state", "waits_for", "decided_at"])
    happened(
        "signed_off",
        by=by,
        case=case,
        detail={"label": label, "basis": str(basis)},
        leaves_in=LEAVES_AFTER,
    )
    if case.check_row.tells_requester:
        tell(Occasion.SIGNED_OFF, case=case, leaves_in=LEAVES_AFTER)


def decision_of(case: Case) -> Decision:
    """What the answers so far come to."""
    answers = [
        Answer(by=each.by.username, label=each.label, chief=each.as_chief)
        for each in case.reviews.select_related("by").order_by("at", "pk")
    ]
    return decide(answers, readers=case.check_row.readers)


def amendment(case: Case, *, label: str, by: Person, comment: str) -> None:
    """Add an amendment to the decision; runs in the transaction that holds the case."""
    used(case)
    number = case.sign_offs.count()
    SignOff.objects.create(
        case=case,
        number=number,
        label=label,
        basis=Basis.AMENDMENT,
        by=by,
        comment=comment,
        at=clock.now(),
    )
    case.state = CaseState.AMENDED
    case.save(update_fields=["state"])
    happened("amended", by=by, case=case, detail={"label": label, "number": number})
    if case.check_row.tells_requester:  # who was told of a decision must hear that it changed
        tell(Occasion.AMENDED, case=case, number=number)
