"""The same figures among a part of the samples: those that were kept, and those of one kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset, Item
from firstread.domain.errors import BadDataset
from firstread.evaluation.alarms import at_alarm
from firstread.evaluation.answers import Answers
from firstread.evaluation.metrics import Share, share_of
from firstread.evaluation.ranking import mean_area
from firstread.imaging.size import upright_size_px

FEW = 30
"""Below this many samples a share is hardly more than an anecdote."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How right the pack is among the samples that are left when the doubtful are set aside."""

    without: str
    n: int
    kept: float
    """The share of all samples that is left."""
    accuracy: Share


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """The samples whose column `by` says `value`."""

    by: str
    value: str
    n: int
    few: bool
    """Fewer than 30: the interval says little more than that nobody knows."""
    accuracy: Share
    auc: Share
    coverage: Share
    sensitivity: Mapping[str, Share]
    """Of each alarm."""
    specificity: Mapping[str, Share]


def set_aside(answers: Answers) -> tuple[Kept, ...]:
    """Accuracy of all, and without the unfit, the unfamiliar, the ambiguous, and all of these.

    Ambiguous is what has more than one label in its finding set.
    """
    ambiguous = answers.sets.sum(1) > 1
    doubts = {
        "": np.zeros(len(answers.truths), bool),
        "unfit": answers.unfit,
        "unfamiliar": answers.unfamiliar,
        "ambiguous": ambiguous,
        "unfit, unfamiliar or ambiguous": answers.unfit | answers.unfamiliar | ambiguous,
    }
    right = answers.given == answers.truths
    return tuple(
        Kept(
            without=name,
            n=int((~doubt).sum()),
            kept=float((~doubt).mean()),
            accuracy=_among(right, ~doubt, answers),
        )
        for name, doubt in doubts.items()
    )


def risk_coverage(answers: Answers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share kept and the share wrong among the kept, the least sure set aside first: [N] each.

    Geifman and El-Yaniv, NeurIPS 2017. Equally sure answers are set aside together.
    """
    sure = answers.chances.max(1)
    wrong = (answers.given != answers.truths).astype(float)
    order = np.argsort(-sure, kind="stable")
    last = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))
    count = last + 1
    return count / len(sure), np.cumsum(wrong[order])[last] / count


def by_column(answers: Answers, *, by: str, dataset: Dataset) -> tuple[Subgroup, ...]:
    """The figures of each value of a column of labels.csv, of `label`, or of `size`, in order.

    `size` is that of the pictures' longer side. Raises BadDataset where nothing is known by it.
    """
    values = _values(answers, by=by, dataset=dataset)
    found = []
    for value in sorted(set(values), key=_in_order):
        here = np.array([each == value for each in values])
        found.append(_subgroup(answers.only(here), by=by, value=value))
    return tuple(found)


def _subgroup(answers: Answers, *, by: str, value: str) -> Subgroup:
    every = np.ones(len(answers.truths), bool)
    right = answers.given == answers.truths
    shares = {
        code: at_alarm(answers.of(code)[0], raised, clusters=answers.clusters)
        for code, raised in answers.alarms.items()
    }
    return Subgroup(
        by=by,
        value=value,
        n=len(answers.truths),
        few=len(answers.truths) < FEW,
        accuracy=_among(right, every, answers),
        auc=mean_area([answers.of(code) for code in answers.codes], clusters=answers.clusters),
        coverage=_among(answers.sets[np.arange(len(right)), answers.truths], every, answers),
        sensitivity={code: each.sensitivity for code, each in shares.items()},
        specificity={code: each.specificity for code, each in shares.items()},
    )


def _among(hits: NDArray[np.bool_], kept: NDArray[np.bool_], answers: Answers) -> Share:
    clusters = answers.clusters
    return share_of(hits[kept], clusters=None if clusters is None else clusters[kept])


def refuse_unknown_column(dataset: Dataset, *, by: str) -> None:
    """Raises BadDataset, with what there is, where samples cannot be parted by a column."""
    known = _columns(dataset)
    if by not in known:
        raise BadDataset(
            f"The folder {dataset.name} has no column '{by}' to part its samples by. It has: "
            f"{', '.join(sorted(known))}. Name one of them."
        )


def _columns(dataset: Dataset) -> set[str]:
    if dataset.kind == "recording":  # figures are of beats, of which tables say nothing
        return {"label"}
    told = {name for item in dataset.items for name, _ in item.columns}
    return told | ({"label", "size"} if dataset.kind == "image" else {"label"})


def _values(answers: Answers, *, by: str, dataset: Dataset) -> list[str]:
    refuse_unknown_column(dataset, by=by)
    told = [dict(item.columns) for item in answers.samples]
    if any(by in columns for columns in told):
        return [columns.get(by, "") or "(not said)" for columns in told]
    if by == "size" and dataset.kind == "image":
        return [_size(dataset, item) for item in answers.samples]
    return [item.label if by == "label" else "(not said)" for item in answers.samples]


def _size(dataset: Dataset, item: Item) -> str:
    """Doubling classes of the longer side, such as '129 to 256 px'."""
    side = max(upright_size_px(dataset.data(item)))
    top = 32
    while top < side:
        top *= 2
    return f"up to {top} px" if top == 32 else f"{top // 2 + 1} to {top} px"


def _in_order(value: str) -> tuple[float, str]:
    """Numbers by their size, words by the alphabet."""
    word = value.removeprefix("up to ").split()[0] if value.strip() else ""
    try:
        return float(word), value
    except ValueError:
        return float("inf"), value
