"""A case ends: the decision is written, and who waits for it is told."""

from __future__ import annotations

from datetime import datetime

from firstread.clinic.models import Case, Person, SignOff
from firstread.clinic.outbox.events import happened
from firstread.clinic.outbox.notify import Occasion, tell
from firstread.domain.case import Basis, CaseState


def sign_off(
    case: Case, *, label: str, basis: Basis, by: Person, comment: str, at: datetime
) -> None:
    """Write the decision that ends the case; runs in the transaction that holds it."""
    SignOff.objects.create(
        case=case, number=0, label=label, basis=basis, by=by, comment=comment, at=at
    )
    case.state, case.waits_for, case.decided_at = CaseState.SIGNED_OFF, "", at
    case.save(update_fields=["state", "waits_for", "decided_at"])
    happened("signed_off", by=by, case=case, detail={"label": label, "basis": str(basis)})
    if case.check_row.tells_requester:
        tell(Occasion.SIGNED_OFF, case=case)
