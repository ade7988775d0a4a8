"""What waits to leave is taken out again, for what it tells is no longer so."""

from __future__ import annotations

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat

from firstread.clinic.models import Case, Outgoing, OutgoingState, clock

LETTER = "letter"
_STAYS = (OutgoingState.WAITING, OutgoingState.KEPT)


def take_out_letters(case: Case) -> int:
    """Withdraw the letters about the case that have not left; returns how many.

    Events stay: what they tell of did happen, and their receivers hear of what followed.
    """
    return take_out(Q(case=case, payload_kind=LETTER))


def take_out(which: Q) -> int:
    """Withdraw those of the rows that have not left; returns how many.

    Runs inside the caller's transaction. One that is on its way is left to whoever delivers it: it
    arrives, or is not tried again. The key of a withdrawn row is free for the next of its kind.
    """
    now = clock.now()
    rows = Outgoing.objects.filter(which, state__in=_STAYS)
    under_way = Q(claimed_until__gt=now)
    rows.filter(under_way).update(unwanted=True)
    return rows.exclude(under_way).update(
        state=OutgoingState.WITHDRAWN,
        retry_at=None,
        held_by=None,
        claimed_until=None,
        key=Concat(F("key"), Value(":withdrawn:"), Cast("pk", CharField())),
    )
