"""Two packs on the same samples: by how much one is better, and whether that could be chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import BadDataset
from firstread.evaluation.agreement import overall, terms_of
from firstread.evaluation.answers import Answers
from firstread.evaluation.metrics import Z_95, Share
from firstread.evaluation.ranking import covariance, placements
from firstread.evaluation.resample import DRAWS, Clusters, percentiles, resamples


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """How often only one of two packs was right, and how likely so unequal a count is by chance.

    `p` is the one to tell: the mid-p value (Fagerland, Lydersen and Laake, BMC Med Res Methodol
    13:91, 2013), or for samples of the same patients Durkalski's (Stat Med 22:2417, 2003).
    """

    only_first: int
    only_second: int
    exact: float
    mid: float
    by_patient: float | None

    @property
    def p(self) -> float:
        """The probability of a difference at least as great, were there none."""
        return self.mid if self.by_patient is None else self.by_patient


@dataclass(frozen=True, kw_only=True)
class AreaDifference:
    """The second area less the first, DeLong's interval and the probability by chance."""

    difference: Share
    p: float


@dataclass(frozen=True, kw_only=True)
class Differing:
    """One sample on which the packs answer differently."""

    path: str
    truth: str
    first: str
    first_probability: float
    second: str
    second_probability: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The second pack less the first, on the `n` samples that both could open."""

    n: int
    by_patient: bool
    mcnemar: McNemar
    differences: Mapping[str, Share]
    areas: Mapping[str, AreaDifference]
    """Of each label and group."""
    differing: tuple[Differing, ...]
    """What only one read right comes first, the surest mistakes before others."""

    def sentence(self, first: str, second: str) -> str:
        """What it comes to, in one sentence a person can repeat; the packs by these names."""
        found, test = self.differences["accuracy"], self.mcnemar
        where = f"on n = {self.n} samples"
        if test.only_first + test.only_second == 0:
            return f"{first} and {second} are right about the same samples, {where}."
        ahead = second if found.value > 0 else first
        way = 1 if found.value >= 0 else -1
        low, high = sorted((way * found.low * 100, way * found.high * 100))
        points = f"{abs(found.value) * 100:.1f} points ({low:+.1f} to {high:+.1f})"
        told = f"p = {test.p:.3f}" if test.p >= 0.001 else "p < 0.001"
        counts = f"only {first} reads {test.only_first} right, only {second} {test.only_second}"
        if test.p < 0.05:
            return f"{ahead} is better by {points}, {told}, {where}: {counts}."
        return (
            f"No difference is shown {where}: {second} reads {points} "
            f"{'more' if way > 0 else 'fewer'} right, {told}; {counts}."
        )


def mcnemar(
    first: NDArray[np.bool_], second: NDArray[np.bool_], *, clusters: Clusters | None = None
) -> McNemar:
    """Compare which samples [N] two packs read right.

    >>> found = mcnemar(np.array([True] + [False] * 7), np.array([False] + [True] * 7))
    >>> round(found.exact, 4), round(found.mid, 4)
    (0.0703, 0.0391)
    """
    fewer, more = sorted((int((first & ~second).sum()), int((~first & second).sum())))
    total = fewer + more
    tail = sum(math.comb(total, each) for each in range(fewer + 1)) / 2**total
    at = math.comb(total, fewer) / 2**total
    by_patient = None
    if clusters is not None:
        gains = np.bincount(clusters, second.astype(float) - first.astype(float))
        spread = float(gains @ gains)
        by_patient = math.erfc(math.sqrt(gains.sum() ** 2 / spread / 2)) if spread else 1.0
    return McNemar(
        only_first=int((first & ~second).sum()),
        only_second=int((~first & second).sum()),
        exact=min(1.0, 2 * tail),
        mid=min(1.0, 2 * tail - at),
        by_patient=by_patient,
    )


def area_difference(
    positive: NDArray[np.bool_],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    clusters: Clusters | None = None,
) -> AreaDifference:
    """The difference of two areas under the ROC curve on the same samples [N] (DeLong 1988).

    >>> ill = np.array([True, True, False, False])
    >>> one, other = np.array([0.9, 0.2, 0.3, 0.1]), np.array([0.9, 0.8, 0.3, 0.1])
    >>> area_difference(ill, one, other).difference.value
    0.25
    """
    one, other = placements(positive, first), placements(positive, second)
    if one is None or other is None:
        unknown = Share(value=math.nan, low=math.nan, high=math.nan)
        return AreaDifference(difference=unknown, p=math.nan)
    spread = sum(
        sign * covariance(a, b, positive=positive, clusters=clusters)
        for a, b, sign in ((one, one, 1), (other, other, 1), (one, other, -2))
    )
    gap = other.area - one.area
    if not spread > 1e-15:
        p = 1.0 if gap == 0 else math.nan
        return AreaDifference(difference=Share(value=gap, low=gap, high=gap), p=p)
    reach = math.sqrt(spread)
    return AreaDifference(
        difference=Share(value=gap, low=gap - Z_95 * reach, high=gap + Z_95 * reach),
        p=math.erfc(abs(gap) / reach / math.sqrt(2)),
    )


def compare(first: Answers, second: Answers, *, draws: int = DRAWS) -> Comparison:
    """Compare two packs' answers to one folder; intervals by patient where patients are known.

    Raises BadDataset where the packs do not know the same labels, or opened no sample in common.
    """
    first, second = _aligned(first, second)
    clusters, truths = first.clusters, first.truths
    right = [each.given == truths for each in (first, second)]
    return Comparison(
        n=len(truths),
        by_patient=clusters is not None,
        mcnemar=mcnemar(*right, clusters=clusters),
        differences=_differences(first, second, draws=draws),
        areas={
            code: area_difference(
                first.of(code)[0], first.of(code)[1], second.of(code)[1], clusters=clusters
            )
            for code in (*first.codes, *(g for g in first.groups if g in second.groups))
        },
        differing=_differing(first, second),
    )


def _aligned(first: Answers, second: Answers) -> tuple[Answers, Answers]:
    """Both with the same samples in the same order, and the second's labels in the first's."""
    if set(first.codes) != set(second.codes):
        odd = sorted(set(first.codes) ^ set(second.codes))
        raise BadDataset(
            f"The packs cannot be compared: only one of them knows the label '{odd[0]}'. Name two "
            "packs with the same labels."
        )
    both = {item.path for item in first.samples} & {item.path for item in second.samples}
    if not both:
        raise BadDataset("The packs opened no sample in common. Name other packs.")
    first, second = (
        each.only(np.array([item.path in both for item in each.samples]))
        for each in (first, second)
    )
    order = [second.codes.index(code) for code in first.codes]
    return first, replace(
        second,
        codes=first.codes,
        truths=first.truths,
        chances=second.chances[:, order],
        sets=second.sets[:, order],
        named=None if second.named is None else np.argsort(order)[second.named],
    )


def _differences(first: Answers, second: Answers, *, draws: int) -> dict[str, Share]:
    """The overall figures and what alarms find and spare, drawn again together."""
    clusters = first.clusters
    terms = [
        terms_of(e.truths, e.chances, sets=e.sets, given=e.named, clusters=clusters)
        for e in (first, second)
    ]
    shared = [code for code in first.alarms if code in second.alarms]
    hits = [_alarm_terms(each, shared, truths=first) for each in (first, second)]

    def gaps(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        one, other = (overall(each, weights) for each in terms)
        found = {name: other[name] - one[name] for name in one}
        for name, of_one in hits[0].items():
            found[name] = _ratio(weights, hits[1][name]) - _ratio(weights, of_one)
        return found

    whole = gaps(np.ones((1, len(terms[0].sums))))
    blocks = [gaps(b) for b in resamples(len(first.truths), clusters=clusters, draws=draws)]
    found = {}
    for name, gap in whole.items():
        low, high = percentiles(np.concatenate([block[name] for block in blocks]))
        found[name] = Share(value=float(gap[0]), low=low, high=high)
    return found


def _alarm_terms(
    answers: Answers, codes: Sequence[str], *, truths: Answers
) -> dict[str, NDArray[np.float64]]:
    """For what each alarm finds and spares, what each unit adds to both counts: [units, 2]."""
    found = {}
    for code in codes:
        true, raised = truths.of(code)[0], answers.alarms[code]
        for name, side in (("sensitivity", true), ("specificity", ~true)):
            both = np.stack([side & (raised == true), side], axis=1).astype(np.float64)
            if truths.clusters is not None:
                columns = [np.bincount(truths.clusters, each) for each in both.T]
                both = np.stack(columns, axis=1)
            found[f"{name} of the alarm {code}"] = both
    return found


def _ratio(weights: NDArray[np.float64], both: NDArray[np.float64]) -> NDArray[np.float64]:
    part, whole = (weights @ both).T
    share = np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
    return np.asarray(share)


def _of(answers: Answers, given: NDArray[np.int64]) -> NDArray[np.float64]:
    return answers.chances[np.arange(len(given)), given]


def _differing(first: Answers, second: Answers) -> tuple[Differing, ...]:
    one, other = first.given, second.given
    rows = np.flatnonzero(one != other)
    wrong_by = np.where(
        (one == first.truths) | (other == first.truths),
        np.where(one == first.truths, _of(second, other), _of(first, one)) + 1,
        0.0,
    )
    return tuple(
        Differing(
            path=first.samples[row].path,
            truth=first.codes[first.truths[row]],
            first=first.codes[one[row]],
            first_probability=float(first.chances[row, one[row]]),
            second=first.codes[other[row]],
            second_probability=float(second.chances[row, other[row]]),
        )
        for row in sorted(rows, key=lambda row: (-wrong_by[row], first.samples[row].path))
    )
