"""What this process cannot read at the moment, and why: it leaves that to others for a while."""

from __future__ import annotations

import threading
import time

RESTS_S = 10.0
"""After this time it is tried again."""
ANYTHING = ""
"""Stands for every check: the store, say, cannot be reached."""

_said: dict[str, tuple[str, float]] = {}
_saying = threading.Lock()


def note(check: str, why: str) -> None:
    """Leave cases of the check (or ANYTHING) to others for a while."""
    with _saying:
        _said[check] = (why, time.monotonic() + RESTS_S)


def forget(check: str) -> None:
    """It can be read again."""
    with _saying:
        _said.pop(check, None)
        _said.pop(ANYTHING, None)


def left_to_others() -> frozenset[str]:
    """The checks that are not to be claimed now; holds ANYTHING where none is."""
    now_s = time.monotonic()
    with _saying:
        return frozenset(check for check, (_, until_s) in _said.items() if now_s < until_s)


def reasons() -> dict[str, str]:
    """Why each check that could not be read when it was last tried could not."""
    with _saying:
        return {check: why for check, (why, _) in _said.items()}
