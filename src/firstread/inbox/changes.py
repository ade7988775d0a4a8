"""Noticing that something changed in a folder: by events, and by looking where there are none."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import watchfiles

TICK_MS = 100
"""How soon a file that lay still is looked at again."""

log = logging.getLogger(__name__)


def changes(root: Path, stop: threading.Event) -> Iterator[bool]:
    """Whether something changed, at least every tick, until `stop` is set."""
    while not stop.is_set():
        try:
            root.mkdir(parents=True, exist_ok=True)
            seen: Iterable[object] = watchfiles.watch(
                root,
                stop_event=stop,
                debounce=TICK_MS,
                step=20,
                rust_timeout=TICK_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
            )
            for changed in seen:
                yield bool(changed)
                if not root.exists():
                    break
        except (OSError, RuntimeError) as error:
            log.warning("the inbox gives no events, it is polled: %s", type(error).__name__)
            for _ in range(50):
                yield False
                if stop.wait(TICK_MS / 1000):
                    return
