"""A bar on stderr where a person watches; programs that read the lines see none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


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
