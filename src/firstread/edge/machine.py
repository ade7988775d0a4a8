"""The edge as it runs: one thread takes in, one reads, one sends, until it is told to stop."""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from firstread.domain.errors import FirstreadError
from firstread.edge.clock import BootClock
from firstread.edge.first_reads import Say, read_next
from firstread.edge.spool import Spool
from firstread.edge.sync import Sync
from firstread.edge.systemd import notify, watchdog_s
from firstread.inbox.changes import changes
from firstread.inbox.taking import Taking
from firstread.runtime import PackReader

POLL_S = 2.0
"""How often the inbox is looked at where no event tells of a change."""
DISK_PAUSE_S = 2.0
LOOKS_EVERY_S = 5.0
"""How often the spool is looked at by itself, for 'firstread edge resend' rings no bell."""
STUCK_S = 60.0
"""A loop that did not turn for so long hangs, and the watchdog may end the process."""
STOPS_WITHIN_S = 20.0

log = logging.getLogger(__name__)


class Stopped(FirstreadError):
    """A thread ended that should not have."""


@dataclass(kw_only=True)
class Machine:
    """Everything that one edge needs, and its threads."""

    spool: Spool
    clock: BootClock
    taking: Taking
    readers: Mapping[str, PackReader]
    sync: Sync
    say: Say
    unread: threading.Event
    """Set when there is something to read."""
    stop: threading.Event
    _news: threading.Event = field(default_factory=threading.Event)
    _turned_s: dict[str, float] = field(default_factory=dict)
    _fallen: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Work until `stop` is set; raises Stopped where a thread ended by itself."""
        self.clock.note_own()
        threading.excepthook = _say_where
        loops = {"inbox": self._take_in, "reading": self._read, "sync": self._send}
        threads = [
            threading.Thread(target=self._guarded, args=(name, loop), name=name, daemon=True)
            for name, loop in loops.items()
        ]
        for thread in threads:
            thread.start()
        notify("READY=1")
        self._watch(every_s=watchdog_s())
        notify("STOPPING=1")
        self.unread.set()
        self._news.set()
        end_s = time.monotonic() + STOPS_WITHIN_S
        for thread in threads:
            thread.join(timeout=max(0.1, end_s - time.monotonic()))
        if self._fallen:
            raise Stopped(
                f"The edge stopped by itself: {self._fallen[0]}. Nothing is lost; start it again."
            )

    def _watch(self, *, every_s: float | None) -> None:
        told = ""
        while not self.stop.wait(min(every_s / 3, 10.0) if every_s else 10.0):
            late = [n for n, at in self._turned_s.items() if time.monotonic() - at > STUCK_S]
            if not late:
                notify("WATCHDOG=1")
            standing = self.spool.standing()
            line = f"{standing.waiting} wait, {standing.sent} sent, {standing.held} held"
            if line != told:
                notify(f"STATUS={line}")
                told = line

    def _guarded(self, name: str, loop: Callable[[], None]) -> None:
        """Where the loop ends before it is told to, the process ends and is started again."""
        try:
            loop()
        finally:
            if not self.stop.is_set():
                self._fallen.append(f"{name} ({_where(sys.exception())})")
                self.stop.set()

    def _take_in(self) -> None:
        inbox, first, next_look_s, away = self.taking.inbox, True, 0.0, False
        for changed in changes(inbox.root, self.stop):
            self._turned_s["inbox"] = time.monotonic()
            due = time.monotonic() >= next_look_s
            if not (changed or due or self.taking.busy):
                continue
            try:
                if due:
                    inbox.prepare(checks=self.readers)
                    next_look_s = time.monotonic() + POLL_S
                if first:
                    self.taking.take_over()
                    first = False
                self.taking.take_all()
                if due:
                    self.taking.adopt()
                away = False
            except (OSError, sqlite3.OperationalError) as error:
                if not away:
                    log.warning("the inbox cannot be looked at: %s", type(error).__name__)
                away = True
                self.stop.wait(DISK_PAUSE_S)

    def _read(self) -> None:
        while not self.stop.is_set():
            self._turned_s["reading"] = time.monotonic()
            try:
                self.unread.clear()
                while not self.stop.is_set() and read_next(self.spool, self.readers, say=self.say):
                    self._turned_s["reading"] = time.monotonic()
                    self._news.set()
                self._news.set()  # what cannot be opened waits without having been read
                self.unread.wait(LOOKS_EVERY_S)
            except (OSError, sqlite3.OperationalError) as error:
                log.warning("the spool cannot be used: %s", type(error).__name__)
                self.stop.wait(DISK_PAUSE_S)

    def _send(self) -> None:
        try:
            while not self.stop.is_set():
                try:
                    self._news.clear()
                    rest = self.sync.turn()
                except (OSError, sqlite3.OperationalError) as error:
                    log.warning("the spool cannot be used: %s", type(error).__name__)
                    self.stop.wait(DISK_PAUSE_S)
                    continue
                if rest.or_news:
                    self._news.wait(rest.at_most_s)
                elif rest.at_most_s:
                    self.stop.wait(rest.at_most_s)
        finally:
            self.sync.close()


def _where(error: BaseException | None) -> str:
    """The kind and place of an error without its message, which may hold a patient's data."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    return f"{type(error).__name__} in {frames[-1].name}" if frames else type(error).__name__


def _say_where(fallen: threading.ExceptHookArgs) -> None:
    log.error("a thread ended: %s", _where(fallen.exc_value))
