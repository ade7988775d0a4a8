"""Many samples by several threads, in their order, few of them in memory at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Sample = TypeVar("Sample")
Answer = TypeVar("Answer")


def read_all(
    samples: Iterable[Sample], read: Callable[[Sample], Answer], *, threads: int = 2
) -> Iterator[Answer]:
    """`read` of each sample, in order. Decoding and the network both let other threads run.

    At most two samples a thread wait in memory, however many there are. What `read` raises comes
    out at its sample's turn.

    >>> list(read_all([1, 2, 3], lambda n: n * n))
    [1, 4, 9]
    """
    if threads <= 1:
        yield from map(read, samples)
        return
    waiting: deque[Future[Answer]] = deque()
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="read") as pool:
        try:
            for sample in samples:
                waiting.append(pool.submit(read, sample))
                if len(waiting) >= 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
