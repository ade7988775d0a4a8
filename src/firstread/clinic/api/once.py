"""The header Idempotency-Key: the same request with the same key counts once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from firstread.clinic.api.problems import Refused
from firstread.clinic.models import IdempotencyKey, Person
from firstread.domain.errors import ConflictingRequest, FirstreadError

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(days=7)
UNANSWERED = 0
"""The status of a key whose request is still being worked on, or died."""

Answer = tuple[int, dict[str, Any]]


def digest(request: HttpRequest, body: Any) -> str:
    """What makes two requests the same: the address and everything that was sent."""
    plain = json.dumps([request.method, request.path, body], sort_keys=True, default=str)
    return hashlib.sha256(plain.encode(errors="surrogatepass")).hexdigest()


def key_of(request: HttpRequest) -> str | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= 200 or not key.isascii() or not key.isprintable():
        raise Refused(400, f"The header {HEADER} must hold 1 to 200 printable ASCII characters.")
    return key


def once_by_key(
    key: str | None, *, person: Person, request_digest: str, work: Callable[[], Answer]
) -> Answer:
    """The answer of `work`, or the one that was given to this key before.

    `work` must itself be a step that does nothing twice: the key is claimed first and answered
    afterwards, so a process that dies between the two leaves a claim, and the next request with
    the key does the work again. Raises ConflictingRequest where the key came with another request.
    """
    if key is None:
        return work()
    row = _claim(key, person=person, request_digest=request_digest)
    if row.status != UNANSWERED:
        return row.status, row.body
    unanswered = IdempotencyKey.objects.filter(pk=row.pk, status=UNANSWERED)
    try:
        status, body = work()
    except FirstreadError:
        unanswered.delete()  # a corrected request may come with the same key
        raise
    if not unanswered.update(status=status, body=body):
        # The same request ran beside this one and was answered first: both get that answer.
        first = IdempotencyKey.objects.filter(pk=row.pk).first()
        if first is not None:
            return first.status, first.body
    return status, body


def once_with_work(
    key: str | None, *, person: Person, request_digest: str, work: Callable[[], Answer]
) -> Answer:
    """As `once_by_key`, for short work that may not run twice: both stand in one transaction."""
    if key is None:
        return work()
    with transaction.atomic():
        row = _claim(key, person=person, request_digest=request_digest)
        if row.status != UNANSWERED:
            return row.status, row.body
        row.status, row.body = work()
        row.save(update_fields=["status", "body"])
        return row.status, row.body


def _claim(key: str, *, person: Person, request_digest: str) -> IdempotencyKey:
    now = timezone.now()
    IdempotencyKey.objects.filter(person=person, created_at__lt=now - KEPT_FOR).delete()
    row = _row(key, person=person, request_digest=request_digest, now=now)
    if row.request_digest != request_digest:
        raise ConflictingRequest(
            f"The {HEADER} was used for another request. Send a new key with a new request."
        )
    return row


def _row(key: str, *, person: Person, request_digest: str, now: datetime) -> IdempotencyKey:
    # A failed request takes its claim away, maybe just between the two queries: hence twice.
    for _ in range(2):
        try:
            with transaction.atomic():
                return IdempotencyKey.objects.create(
                    person=person,
                    key=key,
                    request_digest=request_digest,
                    status=UNANSWERED,
                    body={},
                    created_at=now,
                )
        except IntegrityError:
            row = IdempotencyKey.objects.filter(person=person, key=key).first()
        if row is not None:
            return row
    raise ConflictingRequest("The same request is being worked on. Send it again in a moment.")
