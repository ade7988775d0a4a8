"""The results that a pack states: each figure of its test part with a 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Item
from firstread.evaluation import Share, mean_of, of_labels, wilson
from firstread.evaluation.ranking import area_with_interval, mean_area
from firstread.packs import Conformal, Group, Result
from firstread.runtime.calibrate import finding_set

Truths = NDArray[np.int64]
Chances = NDArray[np.float64]


def results(
    truths: Truths,
    chances: Chances,
    *,
    labels: Sequence[str],
    positive: Sequence[str],
    conformal: Conformal | None,
    of: str,
    n: int | None = None,
    groups: Sequence[Group] = (),
) -> tuple[Result, ...]:
    """The figures of one set: accuracy, its mean over labels, AUC, sensitivity and specificity per
    label.

    `n` is the number of independent samples where `truths` repeats them; intervals are as wide as
    that number makes them.
    """
    total = n or len(truths)
    repeats = len(truths) / total
    found: list[tuple[str, float, float, float]] = []

    def share(metric: str, hits: float, among: float) -> None:
        if among:
            exact = wilson(round(hits / repeats), round(among / repeats))
            found.append((metric, hits / among, exact.low, exact.high))

    answers = chances.argmax(1)
    share("accuracy", float((answers == truths).sum()), len(truths))
    for group in (each for each in groups if len(each.labels) > 1):
        inside = np.isin(truths, [list(labels).index(code) for code in group.labels])
        hits = float((answers == truths)[inside].sum())
        share(f"accuracy among {group.code}", hits, float(inside.sum()))
    found.append(("balanced accuracy", *_bootstrap_balanced(truths, answers, len(labels), total)))
    figures = of_labels(truths, chances, labels=labels)
    found += _areas(truths, chances, labels=labels, positive=positive, groups=groups, total=total)
    for index, each in enumerate(figures):
        right = (answers == index) & (truths == index)
        share(f"sensitivity of {each.label}", float(right.sum()), float((truths == index).sum()))
        other = (answers != index) & (truths != index)
        share(f"specificity of {each.label}", float(other.sum()), float((truths != index).sum()))
    if conformal is not None:
        sets = [finding_set(labels, row, conformal=conformal) for row in chances]
        held = sum(labels[truth] in inside for truth, inside in zip(truths, sets, strict=True))
        share("coverage of the finding set", float(held), len(truths))
    return tuple(
        Result(
            set=of,
            n=total,
            metric=metric,
            value=round(value, 4),
            low=round(min(low, value), 4),
            high=round(max(high, value), 4),
        )
        for metric, value, low, high in found
    )


def _areas(
    truths: Truths,
    chances: Chances,
    *,
    labels: Sequence[str],
    positive: Sequence[str],
    groups: Sequence[Group],
    total: int,
) -> list[tuple[str, float, float, float]]:
    """The areas under the ROC curves, with the intervals that `firstread evaluate` gives them."""
    # Repeated answers to one sample stand as far apart as there are samples.
    samples = np.arange(len(truths)) % total if total < len(truths) else None
    places = {code: [place] for place, code in enumerate(labels)}
    places |= {group.code: [places[code][0] for code in group.labels] for group in groups}
    sides = {
        code: (np.isin(truths, among), chances[:, among].sum(1)) for code, among in places.items()
    }
    mean = mean_area([sides[code] for code in labels], clusters=samples)
    found = [("AUC, mean over labels", mean.value, mean.low, mean.high)]
    for code in (*positive, *(group.code for group in groups)):
        area = area_with_interval(*sides[code], clusters=samples)
        found.append((f"AUC of {code} against the rest", area.value, area.low, area.high))
    return found


def _bootstrap_balanced(
    truths: Truths, answers: Truths, count: int, total: int, *, draws: int = 1000
) -> tuple[float, float, float]:
    """Mean sensitivity with a percentile bootstrap interval over samples drawn within each
    label."""
    rng = np.random.default_rng(0)
    by_label = [answers[truths == index] == index for index in range(count)]
    by_label = [right for right in by_label if len(right)]
    share = total / len(truths)
    drawn = np.zeros(draws)
    for right in by_label:
        size = max(1, round(len(right) * share))
        drawn += rng.binomial(size, right.mean(), draws) / size
    low, high = np.quantile(drawn / len(by_label), [0.025, 0.975])
    return mean_of([float(right.mean()) for right in by_label]), float(low), float(high)


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """The test samples whose column `by` says `value`."""

    by: str
    value: str
    n: int
    accuracy: Share


def subgroups(
    items: Sequence[Item], right: NDArray[np.bool_], *, at_most: int = 12
) -> tuple[Subgroup, ...]:
    """How many of each kind of sample were read right, for every further column of labels.csv.

    A column counts where it parts the samples into two to `at_most` kinds: more are numbers or
    names, and nothing that a card should hold.
    """
    found: dict[str, dict[str, list[bool]]] = {}
    for item, was_right in zip(items, right.tolist(), strict=True):
        for by, value in item.columns:
            if value.strip():
                found.setdefault(by, {}).setdefault(value, []).append(was_right)
    return tuple(
        Subgroup(by=by, value=value, n=len(rows), accuracy=wilson(sum(rows), len(rows)))
        for by, values in found.items()
        if 2 <= len(values) <= at_most
        for value, rows in sorted(values.items())
    )
