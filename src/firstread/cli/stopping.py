"""Ctrl-C between two steps instead of within one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_waits() -> Iterator[None]:
    """Ctrl-C is heard when the block has ended; the block is short and waits for nobody.

    Of the main thread, which alone hears signals.
    """
    came: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda *heard: came.append(heard))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came and callable(before):
        before(*came[0])
