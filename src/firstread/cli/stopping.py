"""Ctrl-C between two steps instead of within one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_waits() -> Iterator[None]:
    """Ctrl-C is heard when the block has ended, also where that failed; a second one at once.

    In another thread than the main one, which hears no signals, nothing is held up.
    """
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.getsignal(signal.SIGINT)
    if not callable(before):  # ignored, or not ours to hold up
        yield
        return
    heard = before
    came: list[tuple[int, FrameType | None]] = []

    def hear(number: int, frame: FrameType | None) -> None:
        if came:
            heard(number, frame)
        came.append((number, frame))

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)
        if len(came) == 1:
            heard(*came[0])
