"""A bar on stderr where a person watches; programs that read the lines see none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(doing: str, *, total: int, shown: bool) -> Iterator[Callable[[], None]]:
    """Gives what to call after each of `total` steps; draws nothing unless `shown`."""
    if not shown:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(doing, *columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda: bar.advance(task)
