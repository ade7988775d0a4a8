"""Sending again what was given up or kept, or at once what would be tried again later."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from firstread.clinic import audit
from firstread.clinic.models import Outgoing, OutgoingState, Person, Resting, clock
from firstread.clinic.outbox.resting import WHOLE
from firstread.clinic.outbox.write import sends
from firstread.clinic.queue import wake
from firstread.connect.channels import CHANNELS
from firstread.domain.errors import NotAllowed, WrongState

_MAY_GO_AGAIN = Q(state__in=(OutgoingState.GIVEN_UP, OutgoingState.KEPT)) | Q(
    state=OutgoingState.WAITING, held_by=None, attempts__gt=0
)
"""What was given up or kept, and what was tried and would only be tried again later."""


def may_go_again(row: Outgoing) -> bool:
    """Whether the row can be sent again, or at once."""
    tried = row.state == OutgoingState.WAITING and row.held_by is None and row.attempts > 0
    stays = tried or row.state in (OutgoingState.GIVEN_UP, OutgoingState.KEPT)
    return stays and row.channel in CHANNELS and sends(row.channel)


def resend(number: int, *, by: Person | None) -> Outgoing:
    """Let the row of that number leave again, as if it were new.

    On the command line `by` is nobody. It keeps its key, so that the other side knows it if it
    had it after all. Raises NotAllowed, WrongState.
    """
    if by is not None and not (by.is_active and by.operates):
        raise NotAllowed("An operator sends again what was given up. Ask one.")
    with transaction.atomic():
        row = Outgoing.objects.select_related("case").filter(pk=number).first()
        if row is None:
            raise WrongState(f"There is no message {number} in the outbox.")
        if row.channel not in CHANNELS or not sends(row.channel):
            raise WrongState(
                f"Nothing leaves by {row.channel} here: set up [{row.channel}] in the "
                "configuration first."
            )
        # Two who ask at once send it once.
        changed = Outgoing.objects.filter(_MAY_GO_AGAIN, pk=number).update(
            state=OutgoingState.WAITING,
            attempts=0,
            last_error="",
            claimed_until=None,
            held_by=None,
            retry_at=None,
            waits_since=clock.now(),
        )
        if not changed:
            raise WrongState(
                "It has left already, or is on its way: there is nothing to send again."
            )
        # Whoever mended what was wrong there need not wait, either.
        there = Resting.objects.filter(channel=row.channel, address__in=(WHOLE, row.address))
        there.update(until=clock.now())
        audit.append("resent", by=by, case=row.case, detail={"message": row.pk})
        transaction.on_commit(wake.outbox.ring)
    row.refresh_from_db()
    return row
