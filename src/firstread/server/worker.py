"""The worker: threads that read what waits, deliver what must leave, and watch the folder."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, connections

from firstread.clinic import audit, outages
from firstread.clinic.checks import readers
from firstread.clinic.doors import folder
from firstread.clinic.keeping.retention import nightly
from firstread.clinic.keeping.store_round import background
from firstread.clinic.outbox.delivery import deliver_next
from firstread.clinic.queue import cannot_read, lease, presence, wake
from firstread.clinic.queue.wake import Bell
from firstread.clinic.steps.first_read import read_next, tell_why_waiting
from firstread.connect.channels import CHANNELS
from firstread.domain.errors import KeyMissing
from firstread.server.start import unknown_migrations

log = logging.getLogger(__name__)

LOOKS_EVERY_S = 0.5
"""How often rows written by other processes are looked for."""
LONGEST_REST_S = 30.0
"""How long a loop rests at most after it stumbled again and again."""
OUTAGES_EVERY_S = 10.0
"""How often is looked whether something has stopped."""
CHORES_REST_S = 10.0
"""How often is looked whether a chore is due."""
GRACE_S = 10.0
"""How long what is under way may still take when the process is asked to end."""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One kind of work: what a thread does again and again, and the bell that wakes it."""

    name: str
    step: Callable[[threading.Event], bool]
    """Does one thing that is due and says whether there was one; given what asks it to stop."""
    bell: Bell
    threads: int = 1


def loops(*, reading_threads: int, watches_folder: bool) -> list[Loop]:
    """What the threads of a process do: a row for each kind of work."""
    table = [
        Loop(
            name="reading",
            step=lambda _stop: _read_one(),
            bell=wake.reading,
            threads=reading_threads,
        ),
        # Each channel its own, so that an address that hangs keeps no mail waiting.
        *(
            Loop(name=channel, step=partial(_deliver, channel), bell=wake.outbox)
            for channel in CHANNELS
        ),
    ]
    table.append(Loop(name="outages", step=_look_for_outages, bell=Bell()))
    if settings.FIRSTREAD.store.verify_every_h:
        table.append(Loop(name="store", step=_check_store, bell=Bell()))
    if settings.FIRSTREAD.retention.nightly:
        table.append(Loop(name="retention", step=_keep_terms, bell=Bell()))
    if watches_folder and settings.FIRSTREAD.inbox.folder is not None:
        table.append(Loop(name="folder", step=_watch, bell=wake.reading))
    return table


class Worker:
    """The threads of one process, started and stopped together."""

    def __init__(self, *, reading_threads: int, watches_folder: bool) -> None:
        self._stop = threading.Event()
        self._name = presence.new_name()
        says_present = partial(_say_present, name=self._name, reads=reading_threads > 0)
        self._loops = [
            Loop(name="presence", step=says_present, bell=Bell()),
            Loop(name="version", step=end_if_newer, bell=Bell()),
            *loops(reading_threads=reading_threads, watches_folder=watches_folder),
        ]
        self._threads = [
            # A daemon: a thread that hangs in a provider's answer must not keep the process alive.
            threading.Thread(
                target=self._run, args=(loop,), name=f"{loop.name}-{number}", daemon=True
            )
            for loop in self._loops
            for number in range(loop.threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, within_s: float = GRACE_S) -> bool:
        """Let each thread end what it does; returns whether all did within the time.

        What one of them still holds is given back, and whatever it writes later counts for nothing:
        the process should end at once then, for a library may not bear that it ends with threads.
        """
        self._stop.set()
        for loop in self._loops:
            loop.bell.ring()
        end_s = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(timeout=max(0.0, end_s - time.monotonic()))
        try:
            given_back = lease.give_back_all()
            presence.leave(self._name)
            if given_back:
                log.warning("%d rows that were worked on are given back", given_back)
        except DatabaseError as error:
            log.warning("what was worked on waits for its lease: %s", type(error).__name__)
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, loop: Loop) -> None:
        stumbled = 0
        while not self._stop.is_set():
            heard = loop.bell.heard()
            try:
                if not loop.step(self._stop):
                    loop.bell.wait(heard, at_most_s=LOOKS_EVERY_S)
                stumbled = 0
            except Exception as error:  # noqa: BLE001  see below
                # The one place that catches everything: one case must not stop those behind it.
                # Its row keeps the attempt, and after the last one goes to a person.
                stumbled += 1
                log.error("a loop stumbled: %s", _where(error))  # noqa: TRY400 - values stay out
                connections.close_all()
                self._stop.wait(min(0.2 * 2**stumbled, LONGEST_REST_S))
        connections.close_all()


def _read_one() -> bool:
    if _without_key():
        return False
    return read_next(readers.reader_of)


def _say_present(stop: threading.Event, *, name: str, reads: bool) -> bool:
    presence.say(name, reads=reads)
    if cannot_read.reasons():
        tell_why_waiting()
    stop.wait(presence.EVERY_S)
    return False


def _look_for_outages(stop: threading.Event) -> bool:
    outages.look()
    stop.wait(OUTAGES_EVERY_S)
    return False


def _without_key() -> bool:
    """Whether this process could not note what it does, for another key seals the trail by now."""
    try:
        audit.refuse_old_key()
    except KeyMissing as error:
        cannot_read.note(cannot_read.ANYTHING, str(error))
        return True
    return False


def _deliver(channel: str, _stop: threading.Event) -> bool:
    if _without_key():
        return False
    return deliver_next(channel)


def end_if_newer(stop: threading.Event) -> bool:
    """End this process where a newer Firstread has changed the database meanwhile.

    It would write rows that the newer one cannot rely on; started again it is refused.
    """
    if newer := unknown_migrations():
        log.error("a newer Firstread has changed the database (%s): this process ends", newer[-1])
        os.kill(os.getpid(), signal.SIGTERM)
    stop.wait(CHORES_REST_S)
    return False


def _check_store(stop: threading.Event) -> bool:
    kept = settings.FIRSTREAD.store
    every = timedelta(hours=kept.verify_every_h)
    if background(stop, every=every, mb_a_second=kept.verify_mb_a_second):
        return True
    stop.wait(CHORES_REST_S)
    return False


def _keep_terms(stop: threading.Event) -> bool:
    if nightly(stop, config=settings.FIRSTREAD):
        return True
    stop.wait(CHORES_REST_S)
    return False


def _watch(stop: threading.Event) -> bool:
    folder.watch(settings.FIRSTREAD, stop, wake.reading.ring)
    return False


def _where(error: BaseException) -> str:
    """The kind and place of an error without its message, which may hold a patient's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "unknown place"
    return f"{type(error).__name__} in {place}"
