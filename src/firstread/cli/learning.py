"""How a training is watched: a bar with the figures where a person looks on, plain lines
elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from firstread.train.history import Progress, Step


class Learning:
    """What a training tells: each step, each epoch, and sentences between."""

    def __init__(self, console: Console, bar: Bar | None, *, task: TaskID | None) -> None:
        self._console = console
        self._bar = bar
        self._task = task

    def say(self, words: str) -> None:
        self._console.print(words, highlight=False, markup=False, soft_wrap=True)

    def step(self, step: Step) -> None:
        if self._bar is not None and self._task is not None:
            done = step.epoch - 1 + step.done / step.steps
            self._bar.update(self._task, completed=done, total=step.epochs, visible=True)

    def report(self, progress: Progress) -> None:
        if self._bar is not None and self._task is not None:
            words = f"{figures(progress)}  {span(progress.left_s)} left"
            self._bar.update(
                self._task,
                completed=progress.epoch,
                total=progress.epochs,
                description=words,
                visible=True,
            )
            return
        click.echo(
            f"epoch {progress.epoch}/{progress.epochs}  {figures(progress)}  "
            f"{progress.took_s:.1f} s  about {span(progress.left_s)} left",
            err=True,
        )


@contextmanager
def learning(name: str, *, epochs: int) -> Iterator[Learning]:
    """Gives what to tell of a training; a bar on stderr only where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Learning(console, None, task=None)
        return
    columns = (
        BarColumn(bar_width=24),
        TextColumn("epoch {task.completed:.2f}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(f"training {name}", total=epochs, visible=False)
        yield Learning(console, bar, task=task)


def figures(progress: Progress) -> str:
    """The figures of an epoch in one line; those that are not known are left out.

    >>> from firstread.train.history import Progress
    >>> figures(Progress(epoch=1, epochs=2, loss=0.5, accuracy=0.9, took_s=1, auc=0.987))
    'loss 0.500  validation accuracy 0.900  AUC 0.987'
    """
    told = [f"loss {progress.loss:.3f}"]
    if not math.isnan(progress.validation_loss):
        told.append(f"validation loss {progress.validation_loss:.3f}")
    told.append(f"validation accuracy {progress.accuracy:.3f}")
    if not math.isnan(progress.auc):
        told.append(f"AUC {progress.auc:.3f}")
    if not math.isnan(progress.calibration_error):
        told.append(f"ECE {progress.calibration_error:.3f}")
    return "  ".join(told)


def span(seconds: float) -> str:
    """A length of time as a person says it.

    >>> span(8.4), span(500), span(7300)
    ('8 s', '8 min', '2 h 2 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
