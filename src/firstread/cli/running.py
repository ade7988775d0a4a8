"""While a command runs: what is missing, a bar on stderr where a person watches, Ctrl-C in time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING

import click

from firstread.domain.errors import MissingExtra

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def refuse_without(*modules: str, command: str, extra: str) -> None:
    """Raises MissingExtra, before anything is fetched or opened, where one of them is missing."""
    if any(find_spec(name) is None for name in modules):
        raise MissingExtra(command=command, extra=extra)


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


class Steps:
    """What is told of the work: call it after each step, and give it the lines to print."""

    def __init__(self, bar: Progress | None = None, *, task: TaskID | None = None) -> None:
        self._bar = bar
        self._task = task

    def __call__(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)

    def say(self, line: str) -> None:
        """Print a line on standard output, above the bar where both stand on one screen."""
        if self._bar is None or not self._bar.console.is_terminal or self._bar.console.stderr:
            click.echo(line)
        else:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(
    doing: str, *, total: int | None, shown: bool, beside_lines: bool = False
) -> Iterator[Steps]:
    """Gives what to call after each of `total` steps; draws nothing unless `shown`.

    The bar has the rate and the time left. `beside_lines`: the lines go to the same screen.
    """
    if not shown:
        yield Steps()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.0f} a second" if task.speed else "")

    columns = (BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    console = Console(stderr=not beside_lines)
    with Progress(doing, *columns, console=console, transient=beside_lines) as bar:
        yield Steps(bar, task=bar.add_task(doing, total=total))
