"""The local engine: threads that fetch, threads that read, and a short queue between them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Lock, Semaphore

from firstread.domain.errors import Unreachable, UnreadableSample
from firstread.edge.screen.answered import Answered, not_read, reading
from firstread.edge.screen.journal import Journal
from firstread.edge.screen.patience import Patience
from firstread.edge.screen.sample import LARGE_BYTES, Archive, Listed
from firstread.runtime import PackReader


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fetched:
    """A sample's bytes, or why there are none."""

    listed: Listed
    data: bytes = b""
    error: str | None = None
    again: bool = False
    large: bool = False


class LocalEngine:
    """Reads what the journal still lacks with all cores of this machine.

    A thread that read a sample writes its row before it takes the next. Fetched samples wait in a
    queue that is as short as keeps the readers busy, so memory does not grow with the archive.
    """

    def __init__(
        self, archive: Archive, *, reader: PackReader, journal: Journal, threads: int
    ) -> None:
        self._archive = archive
        self._answer = reading(reader)
        self._journal = journal
        self._readers = threads
        self._to_do = journal.to_do(archive.listing(), repeats=archive.repeats)
        self._listing = Lock()
        self._in_hand = archive.fetchers + 2 * threads
        self._slots = Semaphore(self._in_hand)
        self._large = Semaphore(1)
        self._fetched: SimpleQueue[_Fetched | None] = SimpleQueue()
        self._ended = Event()
        self._still_fetching = archive.fetchers
        self._patience = Patience()

    def start(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """Start the threads in the pool, which must have room for `threads` of them."""
        jobs = [self._fetch_all] * self._archive.fetchers + [self._read_all] * self._readers
        return [pool.submit(self._or_end, job) for job in jobs]

    @property
    def threads(self) -> int:
        return self._archive.fetchers + self._readers

    def end(self) -> None:
        """Let each thread finish the sample in its hands, and take no other."""
        self._ended.set()
        self._slots.release(self._in_hand)
        self._large.release(self._in_hand)
        self._tell_readers()

    def _or_end(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException:  # whatever ends one thread ends the run, and is raised to its caller
            self.end()
            raise

    def _fetch_all(self) -> None:
        while (listed := self._next()) is not None:
            self._fetched.put(self._fetch(listed))
        with self._listing:
            self._still_fetching -= 1
            last = self._still_fetching == 0
        if last:
            self._tell_readers()

    def _next(self) -> Listed | None:
        self._slots.acquire()
        with self._listing:
            return None if self._ended.is_set() else next(self._to_do, None)

    def _fetch(self, listed: Listed) -> _Fetched:
        if listed.error is not None:
            return _Fetched(listed=listed, error=listed.error)
        large = False

        def room(size_bytes: int) -> None:
            nonlocal large
            if size_bytes > LARGE_BYTES and not large:
                self._large.acquire()
                large = True

        try:
            data = self._archive.fetch(listed, room=room)
            return _Fetched(listed=listed, data=data, large=large)
        except UnreadableSample as error:
            return _Fetched(listed=listed, error=str(error), large=large)
        except Unreachable as error:
            return _Fetched(listed=listed, error=str(error), again=True, large=large)

    def _read_all(self) -> None:
        while not self._ended.is_set() and (fetched := self._fetched.get()) is not None:
            row = self._row(fetched)
            self._patience.test(row)
            self._journal.add(row)
            if fetched.large:
                self._large.release()
            self._slots.release()

    def _row(self, fetched: _Fetched) -> Answered:
        if fetched.error is None:
            return self._answer(fetched.listed, fetched.data)
        return not_read(fetched.listed, error=fetched.error, again=fetched.again)

    def _tell_readers(self) -> None:
        for _ in range(self._readers):
            self._fetched.put(None)
