"""The results that a pack states: each figure of its test part with a 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Item
from firstread.domain.foremost import FIRST, MANY
from firstread.evaluation import Share, share_of, wilson
from firstread.evaluation.agreement import overall, terms_of
from firstread.evaluation.metrics import among_first
from firstread.evaluation.ranking import area_with_interval, mean_area
from firstread.evaluation.resample import DRAWS, Clusters, percentiles, resamples
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
    clusters: Clusters | None = None,
    n: int | None = None,
    groups: Sequence[Group] = (),
) -> tuple[Result, ...]:
    """The figures of one set: accuracy, its mean over labels, AUC, sensitivity and specificity per
    label; of many labels those of all together, and how often the first five hold the right one.

    Rows of one of the `clusters` [N] are one patient's, or one sample's that was answered
    repeatedly: intervals are as wide as these make them. `n` is the number of samples where it is
    not that of rows. What these samples cannot tell is left out.
    """
    sets = _sets(chances, labels=labels, conformal=conformal)
    share = partial(_share, clusters=clusters)
    answers = chances.argmax(1)
    right = answers == truths
    many = len(labels) > MANY
    found = [("accuracy", share(right))]
    if many:
        first = among_first(truths, chances, count=FIRST)
        found.append(("accuracy of the first five", share(first)))
    for group in (each for each in groups if len(each.labels) > 1):
        inside = np.isin(truths, [list(labels).index(code) for code in group.labels])
        found.append((f"accuracy among {group.code}", share(right, among=inside)))
    if not many and len(np.unique(truths)) > 1:
        found.append(("balanced accuracy", _balanced(truths, chances, sets, clusters=clusters)))
    found += _areas(
        truths, chances, labels=labels, positive=positive, groups=groups, clusters=clusters
    )
    for index, code in enumerate(() if many else labels):
        named, is_one = answers == index, truths == index
        found.append((f"sensitivity of {code}", share(named, among=is_one)))
        found.append((f"specificity of {code}", share(~named, among=~is_one)))
    if conformal is not None:
        held = sets[np.arange(len(truths)), truths]
        found.append(("coverage of the finding set", share(held)))
    known = [(metric, each) for metric, each in found if not math.isnan(each.value)]
    return tuple(_result(metric, each, of=of, n=n or len(truths)) for metric, each in known)


def _share(
    hits: NDArray[np.bool_],
    *,
    among: NDArray[np.bool_] | None = None,
    clusters: Clusters | None,
) -> Share:
    """The share of hits `among` some; NaN where there are none of these."""
    if among is None:
        return share_of(hits, clusters=clusters)
    if not among.any():
        return Share(value=math.nan, low=math.nan, high=math.nan)
    return share_of(hits[among], clusters=None if clusters is None else clusters[among])


def _result(metric: str, share: Share, *, of: str, n: int) -> Result:
    return Result(
        set=of,
        n=n,
        metric=metric,
        value=round(share.value, 4),
        low=round(min(share.low, share.value), 4),
        high=round(max(share.high, share.value), 4),
    )


def _sets(
    chances: Chances, *, labels: Sequence[str], conformal: Conformal | None
) -> NDArray[np.bool_]:
    """[N, K]: which labels stand in each finding set; without `conformal` the most probable one."""
    if conformal is None:
        first: NDArray[np.bool_] = np.arange(len(labels)) == chances.argmax(1)[:, None]
        return first
    sets = [set(finding_set(labels, row, conformal=conformal)) for row in chances]
    return np.array([[code in inside for code in labels] for inside in sets])


def _areas(
    truths: Truths,
    chances: Chances,
    *,
    labels: Sequence[str],
    positive: Sequence[str],
    groups: Sequence[Group],
    clusters: Clusters | None,
) -> list[tuple[str, Share]]:
    places = {code: [place] for place, code in enumerate(labels)}
    places |= {group.code: [places[code][0] for code in group.labels] for group in groups}
    sides = {
        code: (np.isin(truths, among), chances[:, among].sum(1)) for code, among in places.items()
    }
    mean = mean_area([sides[code] for code in labels], clusters=clusters)
    return [
        ("AUC, mean over labels", mean),
        *(
            (f"AUC of {code} against the rest", area_with_interval(*sides[code], clusters=clusters))
            for code in (*positive, *(group.code for group in groups))
        ),
    ]


def _balanced(
    truths: Truths, chances: Chances, sets: NDArray[np.bool_], *, clusters: Clusters | None
) -> Share:
    """Mean sensitivity, with a percentile interval over resampled patients (or samples)."""
    terms = terms_of(truths, chances, sets=sets, clusters=clusters)
    drawn = np.concatenate(
        [
            overall(terms, block)["balanced_accuracy"]
            for block in resamples(len(truths), clusters=clusters, draws=DRAWS)
        ]
    )
    low, high = percentiles(drawn)
    return Share(value=float(overall(terms)["balanced_accuracy"][0]), low=low, high=high)


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
