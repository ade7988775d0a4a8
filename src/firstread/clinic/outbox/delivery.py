"""Delivering rows of the outbox: each tried until it is gone, or given up after a day."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from firstread.clinic import audit
from firstread.clinic.models import Outgoing, OutgoingState, clock
from firstread.clinic.outbox.write import settings_of
from firstread.clinic.queue.lease import claim, held, still_held
from firstread.connect.channel import Delivery, Parcel
from firstread.connect.channels import CHANNELS

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
GIVES_UP_AFTER = timedelta(hours=24)
_ENDS = {OutgoingState.SENT: "told", OutgoingState.GIVEN_UP: "not_told"}
"""The action of the audit trail when a row comes to its end."""
LONGEST_ASKED = timedelta(hours=6)
"""Longer than this no address is left alone, whatever it asks for."""
LONGEST_REST = LONGEST_ASKED + timedelta(minutes=15)
LEASE = timedelta(seconds=60)
"""Renewed while a delivery is under way, however slow the other side is."""
WAITING = OutgoingState.WAITING


def deliver_next(channel: str) -> bool:
    """Deliver one row of the channel that is due; returns whether there was one."""
    row = _claim(channel)
    if row is None:
        return False
    with held(row, lease=LEASE):
        _record(row, _try(row))
    return True


def _claim(channel: str) -> Outgoing | None:
    # Those least often tried come first: what is refused again and again blocks nothing behind it.
    waiting = Outgoing.objects.filter(state=OutgoingState.WAITING, channel=channel)
    return claim(waiting.order_by("attempts", "pk"), lease=LEASE, longest_pause=LONGEST_REST)


def _try(row: Outgoing) -> Delivery:
    channel = CHANNELS[row.channel]
    parcel = Parcel(
        key=row.key,
        address=row.address,
        payload=row.payload,
        site=settings.FIRSTREAD.base_url,
    )
    return channel.deliver(parcel, settings_of(channel))


def _record(row: Outgoing, delivery: Delivery) -> None:
    now = clock.now()
    asked = min(delivery.again_in_s, LONGEST_ASKED.total_seconds())
    next_try_at = now + max(pause_after(row.attempts), timedelta(seconds=asked))
    with transaction.atomic():
        if not _counts(row, delivery):
            return
        row.claimed_until = row.held_by = None
        row.last_error = delivery.error[:300]
        if not delivery.error:
            row.state, row.sent_at, row.retry_at = OutgoingState.SENT, now, None
        elif delivery.permanent or now - row.waits_since >= GIVES_UP_AFTER:
            row.state, row.retry_at = OutgoingState.GIVEN_UP, None
        else:
            row.retry_at = next_try_at
        if delivery.address_down:
            _spare(row, until=next_try_at)
        row.save(
            update_fields=["state", "claimed_until", "held_by", "last_error", "retry_at", "sent_at"]
        )
        if action := _ENDS.get(OutgoingState(row.state)):
            audit.append(action, by=None, case=row.case, detail=_detail(row))
    log.info("%s %s of case %s: %s", row.channel, row.pk, row.case_id, row.state)


def _counts(row: Outgoing, delivery: Delivery) -> bool:
    """Whether this try still says something: what arrived has arrived, whoever has it by now.

    A failure is no news where somebody else has it since.
    """
    if still_held(row) is not None:
        return True
    if delivery.error:
        return False
    rows = Outgoing.objects.filter(pk=row.pk, state=WAITING)
    return rows.select_for_update().first() is not None


def _spare(row: Outgoing, *, until: datetime) -> None:
    """Leave the address alone: what hangs there would keep everything else from leaving."""
    others = Outgoing.objects.filter(
        state=OutgoingState.WAITING,
        channel=row.channel,
        address=row.address,
        claimed_until=None,
    ).exclude(pk=row.pk)
    others.filter(Q(retry_at=None) | Q(retry_at__lt=until)).update(retry_at=until)


def _detail(row: Outgoing) -> dict[str, Any]:
    """Who was told: a person by number, for the trail outlasts names; or an address."""
    if row.to_id is not None:
        return {"channel": row.channel, "person": row.to_id}
    words = CHANNELS[row.channel].words
    return {
        "channel": row.channel,
        "to": words.place(row.address),
        "what": words.what(row.payload),
    }


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries: 30 s, doubled each time, an hour at most.

    >>> [pause_after(n).seconds for n in (1, 2, 3, 8, 9)]
    [30, 60, 120, 3600, 3600]
    """
    doublings = max(0, min(attempts - 1, 20))
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
