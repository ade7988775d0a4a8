"""The threads that read, and the bounded line of requests that wait for one of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from firstread.edge.serve.wire import Answer


@dataclass(kw_only=True, slots=True, eq=False)
class Job:
    """One request on its way through the pool."""

    asked_at_s: float
    begun_at_s: float = 0.0
    dropped: bool = False
    future: Future[Answer] | None = None

    def drop(self) -> None:
        """Nobody waits for it any more: where it has not begun it never will."""
        self.dropped = True
        if self.future is not None:
            self.future.cancel()


class ReadPool:
    """As many threads as cores, and room for `queue` requests that wait.

    All but the work itself is called by the event loop's thread alone.
    """

    def __init__(self, *, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="read")
        self._threads = threads
        self._queue = queue
        self.taken = 0
        """Requests that run or wait; counted by who submits them, from before a pack is opened."""

    @property
    def waiting(self) -> int:
        return max(self.taken - self._threads, 0)

    @property
    def is_full(self) -> bool:
        return self.taken >= self._threads + self._queue

    def submit(self, work: Callable[[], Answer], job: Job) -> Future[Answer]:
        """Have `work` done by a thread; the job may be dropped until that begins."""

        def begun() -> Answer:
            job.begun_at_s = time.perf_counter()
            return work()

        job.future = self._pool.submit(begun)
        return job.future

    def close(self) -> None:
        """Take no more work; what has begun goes on."""
        self._pool.shutdown(wait=False, cancel_futures=True)
