"""Chores: work that comes round again, done by one process at a time and never begun anew."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db.models import Q, QuerySet

from firstread.clinic.models import Chore, clock

LEASE = timedelta(minutes=2)
"""How long a process that went silent keeps a chore from others."""
FURTHEST = timedelta(minutes=15)
"""A claim that ends later than this was made by a clock that was wrong."""


def is_due(name: str, *, every: timedelta) -> bool:
    """Whether a round is under way, or the last one began so long ago that a new one is due."""
    chore = Chore.objects.filter(pk=name).first()
    if chore is None or chore.began_at is None or chore.ended_at is None:
        return True
    under_way = chore.ended_at < chore.began_at
    return under_way or abs(clock.now() - chore.began_at) >= every


def claim(name: str) -> Chore | None:
    """The chore, for this process alone; None where another has it."""
    Chore.objects.get_or_create(pk=name)
    now = clock.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now) | Q(claimed_until__gt=now + FURTHEST)
    mine = uuid.uuid4()
    if not Chore.objects.filter(free, pk=name).update(held_by=mine, claimed_until=now + LEASE):
        return None
    return Chore.objects.filter(pk=name, held_by=mine).first()


def renew(chore: Chore) -> bool:
    """Hold it as long again; False where another has it by now."""
    return bool(_mine(chore).update(claimed_until=clock.now() + LEASE))


def keep(chore: Chore) -> bool:
    """Write how far it has come; False where another has it by now, and nothing is written."""
    return bool(
        _mine(chore).update(
            position=chore.position,
            counts=chore.counts,
            began_at=chore.began_at,
            ended_at=chore.ended_at,
        )
    )


def let_go(chore: Chore) -> None:
    """Let others have it."""
    _mine(chore).update(held_by=None, claimed_until=None)


def _mine(chore: Chore) -> QuerySet[Chore]:
    return Chore.objects.filter(pk=chore.pk, held_by=chore.held_by)
