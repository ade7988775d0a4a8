"""What the page of the clinic's condition shows, and what a probe is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from firstread.clinic import outages
from firstread.clinic.condition import Part, condition, is_ready
from firstread.clinic.models import Person, WorkerRow, clock
from firstread.clinic.queue import cannot_read, presence


@dataclass(frozen=True, kw_only=True)
class WorkerShown:
    """One process that reads or delivers."""

    machine: str
    process: str
    reads: bool
    there: bool
    """Whether it said so not long ago."""
    seen_at: datetime
    started_at: datetime
    clock_says: str
    clock_off: bool
    cannot_read: tuple[tuple[str, str], ...]
    """What it leaves to others, and why."""


@dataclass(frozen=True, kw_only=True)
class ConditionPage:
    """The parts of the clinic, and who works in it."""

    parts: tuple[Part, ...]
    ready: bool
    workers: tuple[WorkerShown, ...]


def stopped() -> tuple[str, ...]:
    """What stands still, a sentence each, once it has lasted long enough to be told."""
    return tuple(each.says for each in outages.told())


def condition_page() -> ConditionPage:
    parts = condition()
    return ConditionPage(parts=parts, ready=is_ready(parts), workers=workers_shown())


def workers_shown() -> tuple[WorkerShown, ...]:
    """Every process that said within a day that it is there."""
    now = clock.now()
    return tuple(_worker(row, at=now) for row in WorkerRow.objects.all())


def _worker(row: WorkerRow, *, at: datetime) -> WorkerShown:
    machine, _, process = row.name.partition(":")
    return WorkerShown(
        machine=machine,
        process=process.partition(":")[0],
        reads=row.reads,
        there=presence.is_present(row, at=at),
        seen_at=row.seen_at,
        started_at=row.started_at,
        clock_says=presence.clock_says(row),
        clock_off=presence.clock_is_off(row),
        cannot_read=tuple(
            ("everything" if check == cannot_read.ANYTHING else check, why)
            for check, why in row.cannot_read.items()
        ),
    )


def probed(parts: tuple[Part, ...], *, by: Person | None) -> dict[str, Any]:
    """What a probe is told; the details to operators alone."""
    operates = by is not None and by.is_active and by.operates
    return {
        "ready": is_ready(parts),
        "parts": [
            {"part": part.name, "works": part.works, "needed": part.needed, "says": part.says}
            | ({"detail": part.detail} if operates else {})
            for part in parts
        ],
    }
