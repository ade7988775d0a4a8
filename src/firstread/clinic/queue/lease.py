"""Claiming a row: one process has it to itself until its lease ends, then another may."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from firstread.clinic.models import Case, Outgoing

Row = TypeVar("Row", Case, Outgoing)


def claim(rows: QuerySet[Row], *, lease: timedelta) -> Row | None:
    """The first of `rows` that nobody holds and whose pause is over, with one more attempt."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    due = rows.filter(free, Q(retry_at=None) | Q(retry_at__lte=now))
    if not due.exists():
        return None  # without a write lock, which a look every half second should not take
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        row = due.first()
        if row is None:
            return None
        row.attempts += 1
        row.claimed_until = now + lease
        row.save(update_fields=["attempts", "claimed_until"])
        return row
