"""Requests that count once: the key that a program sends is claimed, and its answer kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from firstread.clinic.models import IdempotencyKey, Person, clock
from firstread.domain.errors import ConflictingRequest, FirstreadError

KEPT_FOR = timedelta(days=7)
UNANSWERED = 0
"""The status of a key whose request is still being worked on, or died."""


@dataclass(kw_only=True)
class KeyedRequest:
    """One request; whoever finds no answer does the work and sets it."""

    answer: tuple[int, dict[str, Any]] | None = None
    """The status and body; at first those that were given to the same key before."""


@contextmanager
def once(key: str | None, *, person: Person, digest: str) -> Iterator[KeyedRequest]:
    """The request with the answer that was given to its key before, if there was one.

    The work must itself be a step that does nothing twice: the key is claimed first and answered
    afterwards, so a process that dies between the two leaves a claim, and the next request with
    the key does the work again. Raises ConflictingRequest where the key came with another request.
    """
    request = KeyedRequest()
    if key is None:
        yield request
        return
    row = _claim(key, person=person, digest=digest)
    if row.status != UNANSWERED:
        yield KeyedRequest(answer=(row.status, row.body))
        return
    unanswered = IdempotencyKey.objects.filter(pk=row.pk, status=UNANSWERED)
    try:
        yield request
    except FirstreadError:
        unanswered.delete()  # a corrected request may come with the same key
        raise
    if request.answer is None:
        return
    status, body = request.answer
    if not unanswered.update(status=status, body=body):
        # The same request ran beside this one and was answered first: both get that answer.
        first = IdempotencyKey.objects.filter(pk=row.pk).first()
        if first is not None:
            request.answer = first.status, first.body


@contextmanager
def once_with_work(key: str | None, *, person: Person, digest: str) -> Iterator[KeyedRequest]:
    """As `once`, for short work that may not run twice: both stand in one transaction."""
    if key is None:
        yield KeyedRequest()
        return
    with transaction.atomic():
        row = _claim(key, person=person, digest=digest)
        answered = row.status != UNANSWERED
        request = KeyedRequest(answer=(row.status, row.body) if answered else None)
        yield request
        if not answered and request.answer is not None:
            row.status, row.body = request.answer
            row.save(update_fields=["status", "body"])


def _claim(key: str, *, person: Person, digest: str) -> IdempotencyKey:
    now = clock.now()
    IdempotencyKey.objects.filter(person=person, created_at__lt=now - KEPT_FOR).delete()
    row = _row(key, person=person, digest=digest, now=now)
    if row.request_digest != digest:
        raise ConflictingRequest(
            "The Idempotency-Key was used for another request. Send a new key with a new request."
        )
    return row


def _row(key: str, *, person: Person, digest: str, now: datetime) -> IdempotencyKey:
    # A failed request takes its claim away, maybe just between the two queries: hence twice.
    for _ in range(2):
        try:
            with transaction.atomic():
                return IdempotencyKey.objects.create(
                    person=person,
                    key=key,
                    request_digest=digest,
                    status=UNANSWERED,
                    body={},
                    created_at=now,
                )
        except IntegrityError:
            row = IdempotencyKey.objects.filter(person=person, key=key).first()
        if row is not None:
            return row
    raise ConflictingRequest("The same request is being worked on. Send it again in a moment.")
