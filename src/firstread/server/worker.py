"""The worker: threads that read what waits, deliver what must leave, and watch the folder."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

from django.conf import settings
from django.db import connections

from firstread.clinic.checks import readers
from firstread.clinic.doors import folder
from firstread.clinic.outbox.notify import deliver_next
from firstread.clinic.queue import wake
from firstread.clinic.queue.wake import Bell
from firstread.clinic.steps.first_read import read_next

log = logging.getLogger(__name__)

LOOKS_EVERY_S = 0.5
"""How often rows written by other processes are looked for."""
LONGEST_REST_S = 30.0
"""How long a loop rests at most after it stumbled again and again."""


class Worker:
    """The threads of one process, started and stopped together."""

    def __init__(self, *, reading_threads: int, watches_folder: bool) -> None:
        self._stop = threading.Event()
        steps: list[tuple[str, Callable[[], None]]] = [
            (f"reading-{n}", lambda: self._loop(_read_one, wake.reading))
            for n in range(reading_threads)
        ]
        steps.append(("outbox", lambda: self._loop(deliver_next, wake.outbox)))
        if watches_folder and settings.FIRSTREAD.inbox.folder is not None:
            steps.append(("folder", lambda: self._loop(self._watch, wake.reading)))
        self._threads = [
            # A daemon: a thread that hangs in a provider's answer must not keep the process alive.
            threading.Thread(target=target, name=name, daemon=True)
            for name, target in steps
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, within_s: float = 10.0) -> None:
        """Let each thread end what it does; what it cannot end is claimed again later."""
        self._stop.set()
        wake.reading.ring()
        wake.outbox.ring()
        for thread in self._threads:
            thread.join(timeout=within_s)

    def _loop(self, step: Callable[[], bool], bell: Bell) -> None:
        stumbled = 0
        while not self._stop.is_set():
            heard = bell.heard()
            try:
                if not step():
                    bell.wait(heard, at_most_s=LOOKS_EVERY_S)
                stumbled = 0
            except Exception as error:  # noqa: BLE001  see below
                # The one place that catches everything: one case must not stop those behind it.
                # Its row keeps the attempt, and after the last one goes to a person.
                stumbled += 1
                log.error("a loop stumbled: %s", _where(error))  # noqa: TRY400 - values stay out
                connections.close_all()
                self._stop.wait(min(0.2 * 2**stumbled, LONGEST_REST_S))
        connections.close_all()

    def _watch(self) -> bool:
        folder.watch(settings.FIRSTREAD, self._stop, wake.reading.ring)
        return False


def _read_one() -> bool:
    return read_next(readers.reader_of)


def _where(error: BaseException) -> str:
    """The kind and place of an error without its message, which may hold a patient's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "unknown place"
    return f"{type(error).__name__} in {place}"
