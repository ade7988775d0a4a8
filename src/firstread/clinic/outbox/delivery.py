"""Delivering rows of the outbox: each tried until it is gone, or given up after a day."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest

from firstread.clinic import audit
from firstread.clinic.models import Outgoing, OutgoingState, Resting, clock
from firstread.clinic.outbox import resting, restored
from firstread.clinic.outbox.write import sends, settings_of
from firstread.clinic.queue.lease import claim, held, still_held
from firstread.connect.channel import Delivery, Parcel
from firstread.connect.channels import CHANNELS

log = logging.getLogger(__name__)

GIVES_UP_AFTER = timedelta(hours=24)
NOT_YET = "not_told_yet"
"""The action of the audit trail when a first try fails."""
_ENDS = {OutgoingState.SENT: "told", OutgoingState.GIVEN_UP: "not_told"}
"""The action of the audit trail when a row comes to its end."""
LEASE = timedelta(seconds=30)
"""Renewed while a delivery is under way, however slow the other side is."""
FEW_TRIES = 2
"""So often a message may have been refused and still keep its place before newer ones."""
WAITING = OutgoingState.WAITING
GIVEN_UP_AT_ONCE = 50
"""How many rows are given up in one transaction."""


def deliver_next(channel: str) -> bool:
    """Deliver one row of the channel that is due; returns whether there was anything to do."""
    if not sends(channel):
        return _keep(channel)
    if restored.why_held():
        return False
    row = _claim(channel)
    if row is None:
        return _give_up(channel)
    with held(row, lease=LEASE):
        _record(row, _try(row))
    return True


def _claim(channel: str) -> Outgoing | None:
    alone = {each.address for each in resting.resting(channel)}
    if resting.WHOLE in alone:
        return None
    # What a process that died had begun goes before all that is new. Of the rest the oldest, but
    # what was refused several times comes after all others, and so blocks nothing behind it.
    begun_first = F("held_by").asc(nulls_last=True)
    refused_last = Greatest("attempts", Value(FEW_TRIES))
    waiting = _waiting(channel).exclude(address__in=alone).order_by(begun_first, refused_last, "pk")
    return claim(waiting, lease=LEASE, longest_pause=resting.LONGEST_REST)


def _waiting(channel: str) -> QuerySet[Outgoing]:
    return Outgoing.objects.filter(state=WAITING, channel=channel)


def _keep(channel: str) -> bool:
    """The operator switched the channel off: what waits for it is kept, to be looked at."""
    if not _waiting(channel).exists():
        return False
    _waiting(channel).update(state=OutgoingState.KEPT, retry_at=None)
    return True


def _give_up(channel: str) -> bool:
    """Give up what has waited for a day for an address that took nothing all that day."""
    long_ago = clock.now() - GIVES_UP_AFTER
    for rest in Resting.objects.filter(channel=channel, since__lte=long_ago):
        if rest.address == resting.WHOLE:
            continue  # no address is at fault, and nothing is lost by waiting
        with transaction.atomic():
            late = _waiting(channel).filter(
                address=rest.address, waits_since__lte=long_ago, held_by=None
            )
            late = late.select_for_update(skip_locked=True)
            rows = list(late.order_by("pk")[:GIVEN_UP_AT_ONCE])
            for row in rows:
                row.state, row.retry_at = OutgoingState.GIVEN_UP, None
                row.last_error = row.last_error or rest.last_error
                row.save(update_fields=["state", "retry_at", "last_error"])
                audit.append("not_told", by=None, case=row.case, detail=_detail(row))
        if rows:
            return True
    return False


def _try(row: Outgoing) -> Delivery:
    channel = CHANNELS[row.channel]
    parcel = Parcel(
        key=row.key,
        address=row.address,
        payload=row.payload if isinstance(row.payload, dict) else {},
        site=settings.FIRSTREAD.base_url,
    )
    return channel.deliver(parcel, settings_of(channel))


def _record(row: Outgoing, delivery: Delivery) -> None:
    with transaction.atomic():
        if not _counts(row, delivery):
            return
        now = clock.now()
        row.claimed_until = row.held_by = row.retry_at = None
        row.last_error = delivery.error[:300]
        row.waits_since = min(row.waits_since, now)  # where a clock was wrong
        late = now - row.waits_since >= GIVES_UP_AFTER
        if not delivery.error:
            row.state, row.sent_at = OutgoingState.SENT, now
        elif _unwanted(row):
            row.state = OutgoingState.WITHDRAWN
        elif delivery.permanent or (late and not delivery.channel_down):
            row.state = OutgoingState.GIVEN_UP
        elif not (delivery.address_down or delivery.channel_down):
            row.retry_at = now + max(resting.pause_after(row.attempts), resting.asked(delivery))
        row.save(
            update_fields=[
                "state",
                "claimed_until",
                "held_by",
                "last_error",
                "retry_at",
                "sent_at",
                "waits_since",
            ]
        )
        if delivery.address_down or delivery.channel_down:
            resting.note(row, delivery, at=now)
        action = _ENDS.get(OutgoingState(row.state), NOT_YET if row.attempts == 1 else "")
        if action:
            audit.append(action, by=None, case=row.case, detail=_detail(row))
    if not delivery.error:
        # Not before: who holds rows of others as well must hold this one no longer.
        resting.end(row, at=now)
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


def _unwanted(row: Outgoing) -> bool:
    """Whether it was withdrawn while it was on its way, so that it is not tried again."""
    return Outgoing.objects.filter(pk=row.pk, unwanted=True).exists()


def _detail(row: Outgoing) -> dict[str, Any]:
    """Who was told: a person by number, for the trail outlasts names; or an address."""
    if row.to_id is not None:
        return {"channel": row.channel, "person": row.to_id}
    words = CHANNELS[row.channel].words
    payload = row.payload if isinstance(row.payload, dict) else {}
    return {
        "channel": row.channel,
        "to": words.place(row.address),
        "what": words.what(payload),
    }
