"""A pack reads a labelled folder: what it said of each sample, and the figures of the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset, Item, named
from firstread.domain.errors import BadDataset, BadMeasurement, UnreadableSample
from firstread.domain.read import Read
from firstread.evaluation.metrics import (
    LabelFigures,
    Share,
    calibration_error,
    confusion,
    mean_of,
    of_labels,
    wilson,
)
from firstread.runtime import PackReader, read_all


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The figures of one pack on one dataset, over every sample that could be opened.

    `confusion` has a row for each true label and a column for each label read.

    Every opened sample counts, also where the read says that it is unfit: the most probable label
    is the answer. `auc` and `f1` are means over the labels, each against all others.
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
    ece: float
    coverage: Share
    mean_set_size: float
    unfamiliar: int
    unfit: int
    confusion: tuple[tuple[int, ...], ...]
    unreadable: tuple[dict[str, str], ...]
    truths: NDArray[np.int64]
    chances: NDArray[np.float64]

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values; NaN becomes null."""
        plain: dict[str, Any] = {
            "pack": self.pack,
            "version": self.version,
            "dataset": self.dataset,
            "n": self.n,
            "accuracy": self.accuracy.value,
            "accuracy_low": self.accuracy.low,
            "accuracy_high": self.accuracy.high,
            "balanced_accuracy": self.balanced_accuracy,
            "auc": self.auc,
            "f1": self.f1,
            "labels": {
                each.label: {"n": each.n, "auc": each.auc, "f1": each.f1} for each in self.labels
            },
            "sensitivity": {each.label: asdict(each.sensitivity) for each in self.labels},
            "specificity": {each.label: asdict(each.specificity) for each in self.labels},
            "ppv": {each.label: asdict(each.ppv) for each in self.labels},
            "ece": self.ece,
            "coverage": self.coverage.value,
            "coverage_low": self.coverage.low,
            "coverage_high": self.coverage.high,
            "mean_set_size": self.mean_set_size,
            "unfamiliar": self.unfamiliar / self.n,
            "unfamiliar_n": self.unfamiliar,
            "unfit_n": self.unfit,
            "confusion": {
                "labels": [each.label for each in self.labels],
                "rows": [list(row) for row in self.confusion],
            },
            "unreadable": list(self.unreadable),
        }
        cleaned: dict[str, Any] = _without_nan(plain)
        return cleaned


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value


def evaluate(
    reader: PackReader,
    dataset: Dataset,
    *,
    threads: int = 2,
    step: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Read every sample of `dataset` and compare; `step` is called after each.

    Raises BadDataset where the folder has a label that the pack does not know, or holds another
    kind of sample than the pack reads. Samples that cannot be opened are listed, not raised.
    """
    codes = reader.manifest.codes
    dataset = named(dataset, codes)
    refuse_other_labels(reader, dataset)

    def answer(item: Item) -> tuple[Item, Read | str]:
        try:
            if dataset.kind == "measurements":
                return item, reader.read_measurements(dict(item.measurements)).read
            return item, reader.read(dataset.data(item)).read
        except (UnreadableSample, BadMeasurement, BadDataset) as error:
            return item, str(error)

    opened: list[tuple[Item, Read]] = []
    unreadable: list[dict[str, str]] = []
    for item, read in read_all(dataset.items, answer, threads=threads):
        if isinstance(read, str):
            unreadable.append({"path": item.path, "error": read})
        else:
            opened.append((item, read))
        step()
    if not opened:
        raise BadDataset(
            f"None of the samples of {dataset.name} could be read. The first: "
            f"{unreadable[0]['error']}"
        )
    truths = np.array([codes.index(item.label) for item, _ in opened], np.int64)
    chances = np.zeros((len(opened), len(codes)))
    for row, (_, read) in enumerate(opened):
        for finding in read.findings:
            chances[row, codes.index(finding.label)] = finding.probability
    return _figures(reader, dataset, opened, truths, chances, tuple(unreadable))


def refuse_other_labels(reader: PackReader, dataset: Dataset) -> None:
    """Raises BadDataset where the pack cannot be measured on the dataset at all."""
    pack = reader.manifest
    if dataset.kind != pack.kind:
        raise BadDataset(
            f"The folder {dataset.name} holds samples of kind {dataset.kind}, and the pack "
            f"{pack.name} reads {pack.kind}. Name a pack of the same kind."
        )
    unknown = sorted(set(dataset.labels) - set(pack.codes))
    if unknown:
        raise BadDataset(
            f"The folder {dataset.name} has the label '{unknown[0]}', which the pack {pack.name} "
            f"does not know. It knows: {', '.join(pack.codes)}. Name another pack."
        )


def _figures(
    reader: PackReader,
    dataset: Dataset,
    opened: list[tuple[Item, Read]],
    truths: NDArray[np.int64],
    chances: NDArray[np.float64],
    unreadable: tuple[dict[str, str], ...],
) -> Evaluation:
    codes = reader.manifest.codes
    reads = [read for _, read in opened]
    labels = of_labels(truths, chances, labels=codes)
    # A pack without conformal sets rules nothing out but by its first answer.
    sets = [set(read.finding_set) or {read.label} for read in reads]
    held = sum(item.label in inside for (item, _), inside in zip(opened, sets, strict=True))
    right = int((chances.argmax(1) == truths).sum())
    return Evaluation(
        pack=reader.manifest.name,
        version=reader.manifest.version,
        dataset=dataset.name,
        n=len(opened),
        accuracy=wilson(right, len(opened)),
        balanced_accuracy=mean_of([each.sensitivity.value for each in labels]),
        auc=mean_of([each.auc for each in labels]),
        # A label that is neither in the folder nor in an answer has no F1 to speak of.
        f1=mean_of([each.f1 for each in labels]),
        labels=tuple(labels),
        ece=calibration_error(truths, chances),
        coverage=wilson(held, len(opened)),
        mean_set_size=sum(len(inside) for inside in sets) / len(sets),
        unfamiliar=sum(r.familiarity is not None and not r.familiarity.familiar for r in reads),
        unfit=sum(read.unfit is not None for read in reads),
        confusion=tuple(
            tuple(int(cell) for cell in row)
            for row in confusion(truths, chances.argmax(1), count=len(codes))
        ),
        unreadable=unreadable,
        truths=truths,
        chances=chances,
    )
