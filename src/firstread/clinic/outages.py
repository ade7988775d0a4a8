"""Outages: where reading, a channel, the store or a disk stands still, the operators are told.

Once when it has stood still for the time of the settings, and once when it goes again; by mail and
webhook, but never by the channel that it is about.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from firstread.clinic import audit
from firstread.clinic.checks.checks import all_checks
from firstread.clinic.condition import free_bytes
from firstread.clinic.models import (
    Case,
    Check,
    Outage,
    Outgoing,
    OutgoingState,
    Person,
    Resting,
    Role,
    clock,
)
from firstread.clinic.outbox.restored import why_held
from firstread.clinic.outbox.write import sends, settings_of, write
from firstread.clinic.storage import store
from firstread.connect.channel import Channel
from firstread.connect.channels import CHANNELS
from firstread.connect.mail.channel import MAIL, letter
from firstread.domain.case import CaseState

log = logging.getLogger(__name__)

STANDS_AFTER = timedelta(seconds=60)
"""What does nothing for so long, though something waits for it, is looked at as standing still."""
FORGOTTEN_AFTER = timedelta(days=1)
"""An outage of a machine that says nothing of it any more."""
STOPPED, GOES = "clinic.stopped", "clinic.goes_again"
"""The types of the events."""


def look() -> None:
    """See what stands still as seen from this machine, and tell the operators what is new."""
    now = clock.now()
    found = dict([*_checks(), *_channels(), *_machine()])
    mine = [each for each in Outage.objects.all() if _is_mine(each.what)]
    for outage in mine:
        if outage.what not in found:
            _end(outage)
    for what, says in found.items():
        number = int(1000 * now.timestamp())
        new = Outage(what=what, number=number, since=now, seen_at=now, says=says)
        Outage.objects.bulk_create([new], ignore_conflicts=True)
        Outage.objects.filter(pk=what).update(seen_at=now, says=says)
        # A moment that lies ahead was written by a clock that was wrong.
        Outage.objects.filter(pk=what, since__gt=now).update(since=now)
        _tell(what, found_says=says)
    Outage.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


def told() -> list[Outage]:
    """What the operators have been told of and stands still yet."""
    return list(Outage.objects.filter(told_at__isnull=False))


def _checks() -> Iterator[tuple[str, str]]:
    for check in all_checks():
        if waits := _stands(check):
            many = "1 case waits" if waits == 1 else f"{waits} cases wait"
            yield f"reading:{check.name}", f"Nothing is read for the check {check.title}: {many}."


def _stands(check: Check) -> int:
    """How many cases of the check wait, where none was read for a while and none is being read."""
    since = clock.now() - STANDS_AFTER
    cases = Case.objects.filter(check_row=check)
    waiting = cases.filter(state=CaseState.RECEIVED)
    if not waiting.filter(received_at__lt=since).exists():
        return 0
    being_read = waiting.filter(claimed_until__gt=clock.now(), retry_at=None)
    if being_read.exists() or cases.filter(read_at__gt=since).exists():
        return 0
    return waiting.count()


def _channels() -> Iterator[tuple[str, str]]:
    for name, channel in CHANNELS.items():
        waiting = Outgoing.objects.filter(channel=name, state=OutgoingState.WAITING)
        if not sends(name) or why_held() or not waiting.exists():
            continue
        stands = _server_stands if channel.through_one_server else _address_stands
        if stands(channel):
            count = waiting.count()
            many = "1 message waits" if count == 1 else f"{count} messages wait"
            yield name, f"Messages do not leave by {channel.words.title.lower()}: {many}."


def _address_stands(channel: Channel[Any]) -> bool:
    """Whether one of the addresses takes nothing."""
    hears = channel.hears(settings_of(channel))
    return Resting.objects.filter(channel=channel.name, address__in=hears).exists()


def _server_stands(channel: Channel[Any]) -> bool:
    """Whether the one server is away, or nothing has left since what waits was written.

    One address that it refuses, while others are taken, is that address's trouble.
    """
    if Resting.objects.filter(channel=channel.name, address="").exists():
        return True
    rows = Outgoing.objects.filter(channel=channel.name)
    last = rows.aggregate(at=Max("sent_at"))["at"]
    waiting = rows.filter(state=OutgoingState.WAITING, created_at__lt=clock.now() - STANDS_AFTER)
    late = waiting if last is None else waiting.filter(created_at__gt=last)
    addresses = set(late.values_list("address", flat=True)[:1000])
    others = rows.filter(state=OutgoingState.SENT).exclude(address__in=addresses)
    return len(addresses) > 1 or (bool(addresses) and not others.exists())


def _machine() -> Iterator[tuple[str, str]]:
    host = socket.gethostname()[:80]
    if (free := free_bytes()) < settings.FIRSTREAD.outages.disk_free_mb * 1_000_000:
        yield f"disk@{host}", f"The disk of {host} is nearly full: {free / 1e9:.1f} GB are free."
    if store.why_away():
        yield f"store@{host}", f"The store of the samples cannot be reached from {host}."


def _is_mine(what: str) -> bool:
    """Whether this machine can say that it is over."""
    _, at, host = what.partition("@")
    return not at or host == socket.gethostname()[:80]


def _after(what: str) -> timedelta:
    """How long it stands still before anybody is told."""
    limits = settings.FIRSTREAD.outages
    if what in CHANNELS:
        return timedelta(seconds=limits.sending_after_s)
    return timedelta(seconds=limits.reading_after_s)


def _tell(what: str, *, found_says: str) -> None:
    """Tell the operators once, where it has lasted long enough."""
    now = clock.now()
    due = Outage.objects.filter(pk=what, told_at=None, since__lte=now - _after(what))
    if not due.exists():
        return
    with transaction.atomic():
        outage = due.select_for_update().first()
        if outage is None or not due.update(told_at=now):
            return  # another process was first
        _write(outage, event=STOPPED, says=found_says)
        audit.append("stopped", by=None, detail={"what": what})
    log.error("%s has stopped", what)


def _end(outage: Outage) -> None:
    with transaction.atomic():
        rows = Outage.objects.filter(pk=outage.pk, number=outage.number)
        last = rows.select_for_update().first()
        if last is None or not rows.delete()[0]:
            return  # another process was first
        if last.told_at is None:
            return
        _write(last, event=GOES, says=f"This is over: {last.says}")
        audit.append("goes_again", by=None, detail={"what": last.what})
    log.warning("%s goes again", outage.what)


def _write(outage: Outage, *, event: str, says: str) -> None:
    """By every channel but the one that it is about; a mail to each operator."""
    link = f"{settings.FIRSTREAD.base_url}/condition"
    key = f"outage:{outage.what}:{outage.number}:{event}"
    if outage.what != MAIL.name:
        subject = (
            "Firstread: something has stopped" if event == STOPPED else "Firstread: it works again"
        )
        payload = letter(subject=subject, text=f"{says}\n\n{link}\n")
        write(
            Outgoing(
                key=f"{key}:{address}"[:200],
                channel=MAIL.name,
                address=address,
                payload_kind="letter",
                payload=payload,
                to=person,
            )
            for address, person in _operators()
        )
    told = {
        "type": event,
        "timestamp": clock.now().isoformat(timespec="milliseconds"),
        "data": {"what": outage.what.partition("@")[0], "says": says, "link": link},
    }
    write(
        Outgoing(
            key=f"{key}:{address}"[:200],
            channel=name,
            address=address,
            payload_kind="event",
            payload=told,
        )
        for name, channel in CHANNELS.items()
        if name != outage.what
        for address in channel.hears(settings_of(channel))
    )


def _operators() -> Iterator[tuple[str, Person | None]]:
    """Whom mails go to: the addresses of the settings, else every operator who has one."""
    if given := settings.FIRSTREAD.outages.mail_to:
        yield from ((address, None) for address in given)
        return
    people = Person.objects.filter(is_active=True, role=Role.OPERATOR).exclude(email="")
    yield from ((person.email, person) for person in people.order_by("pk"))
