"""What takes nothing at the moment: an address or a whole channel, asked by one message at a time.

What waits for it is left as it is, however much that is, and leaves at once when it takes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from firstread.clinic.models import Outgoing, OutgoingState, Resting, clock
from firstread.connect.channel import Delivery
from firstread.connect.channels import CHANNELS

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_ASKED = timedelta(hours=6)
"""Longer than this no address is left alone, whatever it asks for."""
LONGEST_REST = LONGEST_ASKED + timedelta(minutes=15)
"""A rest that ends later was given by a clock that was wrong, and counts for nothing."""
WHOLE = ""
"""Stands for every address of a channel."""


def resting(channel: str) -> list[Resting]:
    """What of the channel is left alone now."""
    now = clock.now()
    rows = Resting.objects.filter(channel=channel, until__gt=now, until__lte=now + LONGEST_REST)
    return list(rows)


def rests_of(rows: Iterable[Outgoing]) -> Mapping[int, Resting]:
    """What each of those that wait must wait for, by number; the rest of the channel before its
    address's."""
    waiting = [row for row in rows if row.state == OutgoingState.WAITING]
    found = {
        (each.channel, each.address): each
        for channel in {row.channel for row in waiting}
        for each in resting(channel)
    }
    both = {
        row.pk: found.get((row.channel, WHOLE)) or found.get((row.channel, row.address))
        for row in waiting
    }
    return {number: rest for number, rest in both.items() if rest}


def note(row: Outgoing, delivery: Delivery, *, at: datetime) -> None:
    """Leave the address of the row alone, or its whole channel, as the delivery says."""
    address = WHOLE if delivery.channel_down else row.address
    error = delivery.error[:300]
    new = Resting(channel=row.channel, address=address, since=at, until=at, last_error=error)
    # Another process may be at the same address this moment; one of the two rows stays.
    Resting.objects.bulk_create([new], ignore_conflicts=True)
    rest = Resting.objects.select_for_update().get(channel=row.channel, address=address)
    # What was on its way there before it was known to rest tells nothing new.
    failures = rest.failures + (rest.until <= at)
    most = timedelta(seconds=delivery.asked_again_within_s)
    rest.since = min(rest.since, at)  # where a clock was wrong
    rest.until = at + max(min(pause_after(failures), most), asked(delivery))
    rest.failures, rest.last_error = failures, error
    rest.save(update_fields=["since", "until", "failures", "last_error"])


def end(row: Outgoing, *, at: datetime) -> None:
    """The row arrived: what failed there before comes due, if it or its address had failed, too."""
    rests = Resting.objects.filter(channel=row.channel)
    through_one = CHANNELS[row.channel].through_one_server
    if not through_one:
        rests = rests.filter(address=row.address)
    was_down = rests.filter(address=WHOLE).exists()
    if not was_down and row.attempts < 2 and not rests.filter(address=row.address).exists():
        return
    rests.delete()
    others = Outgoing.objects.filter(channel=row.channel, state=OutgoingState.WAITING)
    if was_down:  # what nobody could try has its day before it
        others.update(retry_at=None, waits_since=at)
    elif through_one:
        others.filter(retry_at__gt=at).update(retry_at=None)


def asked(delivery: Delivery) -> timedelta:
    """How long the other side asks to be left alone."""
    return timedelta(seconds=min(delivery.again_in_s, LONGEST_ASKED.total_seconds()))


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries: 30 s, doubled each time, an hour at most.

    >>> [pause_after(n).seconds for n in (1, 2, 3, 8, 9)]
    [30, 60, 120, 3600, 3600]
    """
    doublings = max(0, min(attempts - 1, 20))
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
