"""What keeps a case from being read that is no fault of its samples, and for how long."""

from __future__ import annotations

import random
from dataclasses import dataclass

from firstread.clinic.queue import cannot_read
from firstread.clinic.storage import store
from firstread.domain.errors import NobodyReads, ShortOfMemory, StoreTrouble, TroubleElsewhere

PAUSE_S = (20.0, 40.0)
"""When a case is tried again; spread, so that not all that wait come due in one moment."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a case waits."""

    why: str
    kind: str
    again_in_s: float
    """0 where another process may be able to read it at once."""
    of_one_sample: bool = False
    """Whether the others of the case can be read meanwhile."""


def cannot_open(error: TroubleElsewhere, *, check: str) -> Trouble:
    """This process has no reader for the check: another's pack may be whole."""
    cannot_read.note(check, str(error))
    return Trouble(why=str(error), kind=type(error).__name__, again_in_s=0.0)


def trouble_of(error: TroubleElsewhere | MemoryError | OSError) -> Trouble:
    """What came up while a sample was read."""
    kind, again_in_s = type(error).__name__, random.uniform(*PAUSE_S)
    if isinstance(error, MemoryError):
        why = "The machine that should read it is short of memory."
        return Trouble(why=why, kind=kind, again_in_s=again_in_s)
    if isinstance(error, OSError):
        why = f"The machine that should read it cannot: {error.strerror or kind}."
        return Trouble(why=why, kind=kind, again_in_s=again_in_s)
    if isinstance(error, StoreTrouble):
        if away := store.why_away():
            cannot_read.note(cannot_read.ANYTHING, away)
            return Trouble(why=away, kind=kind, again_in_s=0.0)
        return Trouble(why=str(error), kind=kind, again_in_s=again_in_s, of_one_sample=True)
    if isinstance(error, NobodyReads | ShortOfMemory):
        again_in_s = error.again_in_s * random.uniform(1.0, 1.25)
    return Trouble(why=str(error), kind=kind, again_in_s=again_in_s)


def interrupted(times: int) -> Trouble:
    """One reader after the other ended in the middle, also where it read the sample apart."""
    return Trouble(
        why=f"Whatever read it ended in the middle, {times} times: a machine that fails, or has "
        "too little memory. Tell the operator.",
        kind="Interrupted",
        again_in_s=random.uniform(*PAUSE_S),
    )
