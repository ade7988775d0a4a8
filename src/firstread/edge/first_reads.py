"""The next sample of the spool gets its first read, right here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from firstread.domain.errors import BadMeasurement, FirstreadError, UnreadableSample
from firstread.domain.read import Read
from firstread.edge.entries import Entry, Reading
from firstread.edge.spool import Spool
from firstread.edge.telling import reading_of
from firstread.runtime import PackReader

TRIES = 3
"""A sample that ended its reader so often is left for the clinic to read."""

Say = Callable[[Entry, Read], None]

log = logging.getLogger(__name__)


def read_next(spool: Spool, readers: Mapping[str, PackReader], *, say: Say) -> bool:
    """Read the oldest sample that was not read yet; returns whether there was one."""
    entry = spool.claim_unread()
    if entry is None:
        return False
    reader = readers.get(entry.check)
    if entry.tries >= TRIES or reader is None:
        why = "there is no pack for it here" if reader is None else "it stopped the reader"
        log.warning("sample %d is left for the clinic to read: %s", entry.number, why)
        spool.write_read(entry.number, Reading())
        return True
    data = spool.bytes_of(entry)
    if data is None:
        spool.hold_lost(entry)
        return True
    try:
        outcome = reader.read(data)
    except (UnreadableSample, BadMeasurement) as error:
        spool.write_read(entry.number, Reading(refusal=str(error)))
        log.info("sample %d cannot be read and waits for the clinic", entry.number)
        return True
    except FirstreadError as error:
        log.error("sample %d is left for the clinic to read: %s", entry.number, error)  # noqa: TRY400  its sentence says it all
        spool.write_read(entry.number, Reading())
        return True
    spool.write_read(entry.number, reading_of(outcome))
    say(entry, outcome.read)
    return True
