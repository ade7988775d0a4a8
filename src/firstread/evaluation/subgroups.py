"""The same figures of each part of the samples that a table, or they themselves, tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from firstread.datasets import Dataset
from firstread.domain.errors import BadDataset
from firstread.evaluation.alarms import at_alarm
from firstread.evaluation.answers import Answers
from firstread.evaluation.kinds import KINDS
from firstread.evaluation.metrics import Share
from firstread.evaluation.parts import FEW, among
from firstread.evaluation.ranking import mean_area


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
        accuracy=among(right, every, answers),
        auc=mean_area([answers.of(code) for code in answers.codes], clusters=answers.clusters),
        coverage=among(answers.sets[np.arange(len(right)), answers.truths], every, answers),
        sensitivity={code: each.sensitivity for code, each in shares.items()},
        specificity={code: each.specificity for code, each in shares.items()},
    )


def refuse_unknown_column(dataset: Dataset, *, by: str) -> None:
    """Raises BadDataset, with what there is, where samples cannot be parted by a column."""
    known = _columns(dataset)
    if by not in known:
        raise BadDataset(
            f"The folder {dataset.name} has no column '{by}' to part its samples by. It has: "
            f"{', '.join(sorted(known))}. Name one of them."
        )


def _columns(dataset: Dataset) -> set[str]:
    kind = KINDS[dataset.kind]
    rows = dataset.items if kind.in_tables else ()
    return {name for item in rows for name, _ in item.columns} | set(kind.told)


def _values(answers: Answers, *, by: str, dataset: Dataset) -> list[str]:
    refuse_unknown_column(dataset, by=by)
    columns = [dict(item.columns) for item in answers.samples]
    if any(by in each for each in columns):
        return [each.get(by, "") or "(not said)" for each in columns]
    told = KINDS[dataset.kind].told.get(by)
    return [told(dataset, item) if told else "(not said)" for item in answers.samples]


def _in_order(value: str) -> tuple[float, str]:
    """Numbers by their size, words by the alphabet."""
    word = value.removeprefix("up to ").split()[0] if value.strip() else ""
    try:
        return float(word), value
    except ValueError:
        return float("inf"), value
