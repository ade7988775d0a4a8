"""What is known of each epoch of a run: watched while it learns, kept as a table, drawn into the
card."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firstread.files.whole import whole


@dataclass(frozen=True, kw_only=True)
class Progress:
    """An epoch as a watcher sees it. All but `loss` is measured on validation samples, with the
    averaged weights.

    `validation_loss` is the log loss and `calibration_error` the ECE at the best temperature, as
    the pack will have it; `auc` is the mean over the labels.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    took_s: float
    validation_loss: float = math.nan
    auc: float = math.nan
    calibration_error: float = math.nan
    left_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """A moment within an epoch: so many of its `steps` are done."""

    epoch: int
    epochs: int
    done: int
    steps: int


def best_epoch(history: Sequence[Progress], *, first: int) -> int | None:
    """The epoch with the least validation loss, the earliest of equals; None where there is none.

    Epochs up to `first` do not count: they read smaller pictures than the pack will.

    >>> rows = [Progress(epoch=n, epochs=9, loss=1, accuracy=0, took_s=0, validation_loss=loss)
    ...         for n, loss in enumerate([0.2, 0.6, 0.4, 0.5, 0.4], start=1)]
    >>> best_epoch(rows, first=1)
    3
    """
    counted = [row for row in history if row.epoch > first and not math.isnan(row.validation_loss)]
    return min(counted, key=lambda row: (row.validation_loss, row.epoch)).epoch if counted else None


def is_over(history: Sequence[Progress], *, first: int, patience: int) -> bool:
    """Whether `patience` epochs have passed since the best one; never where patience is 0.

    >>> rows = [Progress(epoch=n, epochs=9, loss=1, accuracy=0, took_s=0, validation_loss=loss)
    ...         for n, loss in enumerate([0.6, 0.4, 0.5, 0.4], start=1)]
    >>> is_over(rows, first=0, patience=2), is_over(rows, first=0, patience=3)
    (True, False)
    """
    best = best_epoch(history, first=first)
    return bool(patience) and best is not None and history[-1].epoch - best >= patience


def write_history(history: Sequence[Progress], path: Path) -> None:
    """Write the table, a row for each epoch, whole or not at all."""
    names = [each.name for each in dataclasses.fields(Progress) if each.name != "left_s"]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    for row in history:
        values = [getattr(row, name) for name in names]
        table.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in values])
    with whole(path) as file:
        file.write(text.getvalue().encode())
