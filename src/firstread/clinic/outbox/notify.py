"""Telling people: rows of the outbox, each written once and delivered until it is gone."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from firstread.clinic import audit
from firstread.clinic.models import Case, Outgoing, OutgoingState, Person, Role
from firstread.clinic.outbox.mail import Delivery, send
from firstread.clinic.queue import wake
from firstread.clinic.queue.lease import claim
from firstread.connect.mail.settings import MailSettings

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
GIVES_UP_AFTER = timedelta(hours=24)


class Occasion(StrEnum):
    """Why somebody is told. The wording holds no finding, no name and no accession."""

    READ = "read"
    DIFFER = "differ"
    SIGNED_OFF = "signed_off"
    AMENDED = "amended"


_SAYS = {
    Occasion.READ: (
        "A case waits for your answer",
        "A new case of a check that you read waits for your answer.",
    ),
    Occasion.DIFFER: (
        "A case waits for your word as chief",
        "Two specialists differ on a case. Your word as chief decides it.",
    ),
    Occasion.SIGNED_OFF: (
        "A case that you sent has been signed off",
        "A specialist has signed off a case that you sent.",
    ),
    Occasion.AMENDED: (
        "A case that you sent has been amended",
        "The decision on a case that you sent has been corrected.",
    ),
}


def tell(occasion: Occasion, *, case: Case, number: int = 0) -> int:
    """Write a message to each person whom the occasion concerns; returns how many are new.

    Runs inside the caller's transaction. Whoever was told of the same occasion is not told again;
    `number` counts occasions that come several times, such as amendments.
    """
    subject, sentence = _SAYS[occasion]
    link = f"{settings.FIRSTREAD.base_url}/cases/{case.pk}"
    kept = settings.FIRSTREAD.service(MailSettings).backend == "outbox"
    rows = [
        Outgoing(
            key=f"{occasion}:{case.pk}:{person.pk}" + (f":{number}" if number else ""),
            case=case,
            to=person,
            address=person.email,
            subject=f"Firstread: {subject}",
            text=(
                f"{sentence}\n\n{link}\n\n"
                "Opening the link changes nothing; you sign in and decide there.\n"
                "Decision support for research; a qualified person decides.\n"
            ),
            state=OutgoingState.KEPT if kept else OutgoingState.WAITING,
            created_at=timezone.now(),
        )
        for person in _concerned(occasion, case=case)
    ]
    known = set(
        Outgoing.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True)
    )
    fresh = [row for row in rows if row.key not in known]
    # Another process may be writing the same message this moment; one of the two stays.
    Outgoing.objects.bulk_create(fresh, ignore_conflicts=True)
    if fresh and not kept:
        transaction.on_commit(wake.outbox.ring)
    return len(fresh)


def _concerned(occasion: Occasion, *, case: Case) -> Iterable[Person]:
    people = Person.objects.filter(is_active=True).exclude(email="").order_by("pk")
    if occasion is Occasion.READ:
        return people.filter(
            reads__check_row=case.check_row_id, role__in=(Role.SPECIALIST, Role.CHIEF)
        )
    if occasion is Occasion.DIFFER:
        return people.filter(role=Role.CHIEF)
    return people.filter(pk=case.requester_id) if case.requester_id else people.none()


def deliver_next() -> bool:
    """Deliver one message that is due; returns whether there was one."""
    message = _claim()
    if message is None:
        return False
    delivery = send(_mail(message))
    _record(message, delivery)
    return True


def _claim() -> Outgoing | None:
    waiting = Outgoing.objects.filter(state=OutgoingState.WAITING)
    return claim(waiting.order_by("created_at", "pk"), lease=_lease())


def _lease() -> timedelta:
    """Longer than a slow provider takes, so that no other worker sends the same mail meanwhile."""
    return timedelta(seconds=3 * settings.FIRSTREAD.service(MailSettings).timeout_s + 5)


def _mail(message: Outgoing) -> EmailMessage:
    # The same message sent again after a crash has the same ID, by which mailboxes know it.
    name = hashlib.sha256(message.key.encode()).hexdigest()[:32]
    host = urlsplit(settings.FIRSTREAD.base_url).hostname or "localhost"
    return EmailMessage(
        subject=message.subject,
        body=message.text,
        to=[message.address],
        headers={"Message-ID": f"<{name}@{host}>", "Auto-Submitted": "auto-generated"},
    )


def _record(message: Outgoing, delivery: Delivery) -> None:
    now = timezone.now()
    with transaction.atomic():
        message.claimed_until = None
        message.last_error = delivery.error[:300]
        if not delivery.error:
            message.state, message.sent_at, message.retry_at = OutgoingState.SENT, now, None
            audit.append("told", by=None, case=message.case, detail={"person": message.to_id})
        elif delivery.permanent or now - message.created_at >= GIVES_UP_AFTER:
            message.state, message.retry_at = OutgoingState.GIVEN_UP, None
            audit.append("not_told", by=None, case=message.case, detail={"person": message.to_id})
        else:
            message.retry_at = now + pause_after(message.attempts)
        message.save(update_fields=["state", "claimed_until", "last_error", "retry_at", "sent_at"])
    log.info("message %s of case %s: %s", message.pk, message.case_id, message.state)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries: 30 s, doubled each time, an hour at most.

    >>> [pause_after(n).seconds for n in (1, 2, 3, 8, 9)]
    [30, 60, 120, 3600, 3600]
    """
    doublings = max(0, min(attempts - 1, 20))
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
