"""Writing rows of the outbox, each once, in the transaction of what they tell of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from firstread.clinic.models import Outgoing, OutgoingState, clock
from firstread.clinic.queue import wake
from firstread.connect.channel import Channel
from firstread.connect.channels import CHANNELS

AT_ONCE = timedelta()


def write(rows: Iterable[Outgoing], *, leaves_in: timedelta = AT_ONCE) -> int:
    """Write those whose key is not written yet; returns how many are new.

    Runs inside the caller's transaction. A row whose channel sends nothing is kept.
    """
    now = clock.now()
    wanted = list(rows)
    for row in wanted:
        row.created_at = row.waits_since = now
        row.retry_at = now + leaves_in if leaves_in else None
        row.state = OutgoingState.WAITING if sends(row.channel) else OutgoingState.KEPT
    keys = [row.key for row in wanted]
    known = set(Outgoing.objects.filter(key__in=keys).values_list("key", flat=True))
    fresh = [row for row in wanted if row.key not in known]
    # Another process may be writing the same row this moment; one of the two stays.
    Outgoing.objects.bulk_create(fresh, ignore_conflicts=True)
    if any(row.state == OutgoingState.WAITING for row in fresh):
        transaction.on_commit(wake.outbox.ring)
    return len(fresh)


def sends(channel: str) -> bool:
    """Whether what is written for the channel leaves."""
    return CHANNELS[channel].sends(settings_of(CHANNELS[channel]))


def settings_of(channel: Channel[Any]) -> Any:
    """What the operator set for the channel."""
    return settings.FIRSTREAD.service(channel.settings)
