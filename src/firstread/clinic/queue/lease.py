"""Claiming a row: one holder has it to itself while it works; where it dies, another may.

All moments are the database's. A holder renews its lease however long it works; one that lost it
(because it was cut off from the database, say) must write nothing, which `still_held` tells.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet

from firstread.clinic.models import Case, Outgoing, clock

log = logging.getLogger(__name__)

Row = TypeVar("Row", Case, Outgoing)

RENEWED_IN_A_LEASE = 4
"""How often a lease is renewed before it would run out."""
FURTHEST_AT_LEAST = timedelta(minutes=15)
"""A lease that ends later than this, and than four of ours, was given by a clock that was wrong."""
_NOT_ITS_OWN = (OperationalError, InterfaceError, MemoryError)
"""What a row is not at fault for, whatever was done with it."""
_FREE: dict[str, Any] = {"claimed_until": None, "held_by": None}


@dataclass(kw_only=True, eq=False)
class Lease(Generic[Row]):
    """A row that this process holds."""

    row: Row
    lasts: timedelta
    attempt_counts: bool = True
    """Whether the try was the row's own, where it ended with an error."""
    lost: bool = False
    """Another may have the row by now: what is left to do for it is of no use."""

    def renew(self) -> None:
        """Hold it as long again from now on."""
        until = clock.now() + self.lasts
        if not _same_holder(self.row).update(claimed_until=until):
            self.lost = True

    def give_back(self, *, counts: bool) -> None:
        """Let others have the row at once; an attempt that does not count is taken back."""
        self.lost = True
        attempts = {} if counts else {"attempts": F("attempts") - 1}
        _same_holder(self.row).update(**_FREE, **attempts)


def claim(rows: QuerySet[Row], *, lease: timedelta, longest_pause: timedelta) -> Row | None:
    """The first of `rows` that nobody holds and whose pause is over, with one more attempt.

    A lease or a pause that reaches further than any could counts for nothing.
    """
    _give_back_owed()
    if not _due(rows, lease=lease, longest_pause=longest_pause).exists():
        return None  # without a write lock, which a look every half second should not take
    with transaction.atomic():
        due = _due(rows, lease=lease, longest_pause=longest_pause)
        row = due.select_for_update(skip_locked=True).first()
        if row is None:
            return None
        row.attempts += 1
        row.claimed_until = clock.now() + lease
        row.held_by = uuid.uuid4()
        row.save(update_fields=["attempts", "claimed_until", "held_by"])
        return row


def _due(rows: QuerySet[Row], *, lease: timedelta, longest_pause: timedelta) -> QuerySet[Row]:
    now = clock.now()
    furthest = now + max(4 * lease, FURTHEST_AT_LEAST)
    free = Q(claimed_until=None) | Q(claimed_until__lt=now) | Q(claimed_until__gt=furthest)
    rested = Q(retry_at=None) | Q(retry_at__lte=now) | Q(retry_at__gt=now + longest_pause)
    return rows.filter(free, rested)


@contextmanager
def held(row: Row, *, lease: timedelta) -> Iterator[Lease[Row]]:
    """Keep the claimed row while the work goes on, however long it takes.

    Where the work ends with an error the row is given back, and its attempt counts unless the
    database was at fault. What cannot be given back then is when the database answers again.
    """
    holding = Lease(row=row, lasts=lease)
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(holding, done), name="lease", daemon=True)
    with _holding:
        _held_here.add(holding)
    try:
        keeper.start()
        yield holding
    except Exception as error:
        holding.attempt_counts = not isinstance(error, _NOT_ITS_OWN)
        if not holding.attempt_counts:
            connection.close()  # it may be broken
        _give_back(holding)
        raise
    finally:
        done.set()
        with _holding:
            _held_here.discard(holding)


def give_back_all() -> int:
    """Give back what this process still holds, for it ends now; returns how many rows."""
    with _holding:
        mine = list(_held_here)
    for each in mine:
        each.give_back(counts=False)
    return len(mine)


def _give_back(holding: Lease[Any]) -> None:
    """Give the row back now, or as soon as the database answers again."""
    try:
        holding.give_back(counts=holding.attempt_counts)
    except DatabaseError:
        with _holding:
            _owed.append(holding)


def _give_back_owed() -> None:
    """Others need not wait until a lease that nobody uses runs out."""
    with _holding:
        owed = [_owed.pop() for _ in range(len(_owed))]
    for each in owed:
        _give_back(each)


def still_held(row: Row) -> Row | None:
    """The row as it is now, held until the transaction ends; None where another has it by now."""
    rows = _same_holder(row)
    return rows.select_for_update().first()


_held_here: set[Lease[Any]] = set()
_owed: list[Lease[Any]] = []
"""What could not be given back, for the database did not answer."""
_holding = threading.Lock()


def _same_holder(row: Row) -> QuerySet[Row]:
    rows: QuerySet[Row] = type(row)._default_manager.filter(pk=row.pk, held_by=row.held_by)
    return rows


def _keep(holding: Lease[Any], done: threading.Event) -> None:
    pause_s = holding.lasts.total_seconds() / RENEWED_IN_A_LEASE
    while not done.wait(pause_s) and not holding.lost:
        try:
            holding.renew()
        except DatabaseError as error:
            log.warning("a lease is not renewed: %s", type(error).__name__)
        finally:
            connection.close()
