"""What is known of how well a pack reads: the figures of one pack on one set, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation.alarms import AlarmFigures
from firstread.evaluation.answers import Answers
from firstread.evaluation.calibration import Bin, Line
from firstread.evaluation.metrics import LabelFigures, Share
from firstread.evaluation.parts import FEW, Kept


@dataclass(frozen=True, kw_only=True)
class RecordFigures:
    """What was found in one record."""

    record: str
    beats: int
    missed: int
    extra: int
    right: int
    """Of the beats found, how many were named as they are."""
    unfit: str | None


@dataclass(frozen=True, kw_only=True)
class BeatFigures:
    """What only recordings have, beside the figures of the beats that were found."""

    records: tuple[RecordFigures, ...]
    detection_sensitivity: Share
    detection_ppv: Share
    labels: tuple[LabelFigures, ...]
    """As AAMI counts: a beat that was missed counts against its label, one that is none against
    the label it was given; fusion and unknown beats named V, and unknown ones named S, count
    against nobody."""


@dataclass(frozen=True, kw_only=True)
class LabelMore:
    """What else is known of one label: its area with interval, and its finding sets."""

    auc: Share
    average_precision: float
    coverage: Share
    mean_set_size: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """The figures of one pack on one dataset, over every sample that could be opened.

    Every opened sample counts, also where the read says that it is unfit: the most probable label
    is the answer. `auc` and `f1` are means over the labels, each against all others. `confusion`
    has a row for each true label and a column for each label read.
    """

    pack: str
    version: str
    dataset: str
    n: int
    accuracy: Share
    balanced_accuracy: float
    auc: float
    f1: float
    labels: tuple[LabelFigures, ...]
    more: tuple[LabelMore, ...]
    """In the order of `labels`."""
    ece: float
    ece_debiased: float
    """Less what chance alone adds to it, as far as resamples tell."""
    coverage: Share
    mean_set_size: float
    unfamiliar: int
    unfit: int
    confusion: tuple[tuple[int, ...], ...]
    figures: Mapping[str, Share]
    """Every overall figure with its interval."""
    alarms: tuple[AlarmFigures, ...]
    """Of each positive label and each group."""
    kept: tuple[Kept, ...]
    reliability: tuple[Bin, ...]
    """Of the most probable label."""
    line: Line
    """Of the most probable label."""
    ms: float
    """The median time of a read."""
    answers: Answers
    learnt: bool = False
    """Whether the pack was made of this very set, and has learnt from a part of it."""
    beats: BeatFigures | None = None
    """What only recordings have; their other figures are of beats."""

    @property
    def truths(self) -> NDArray[np.int64]:
        """[N], places in the pack's labels."""
        return self.answers.truths

    @property
    def chances(self) -> NDArray[np.float64]:
        """[N, K], calibrated."""
        return self.answers.chances

    @property
    def unreadable(self) -> tuple[dict[str, str], ...]:
        """What could not be opened, each with the reason."""
        return self.answers.unreadable

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the figures say less than they seem to."""
        found = []
        if self.learnt:
            found.append(
                f"The pack {self.pack} was made of this very set and has learnt from most of it: "
                "the figures flatter. Its card has those of samples that it had not seen."
            )
        few = [f"{each.label} ({each.n})" for each in self.labels if 0 < each.n < FEW]
        if few:
            found.append(f"Under {FEW} samples are {_first(few)}: their figures say little.")
        absent = [each.label for each in self.labels if each.n == 0]
        if absent:
            found.append(f"No sample is {_first(absent)}: means leave them out.")
        if self.answers.patients is None:
            found.append(
                "No patient is known: where one gave several samples, intervals are too narrow."
            )
        return tuple(found)


def _first(names: Sequence[str], *, most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
