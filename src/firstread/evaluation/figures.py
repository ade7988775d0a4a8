"""A pack's answers to samples whose labels are known become the figures of the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset, named
from firstread.domain.foremost import FIRST, MANY
from firstread.evaluation.agreement import are_ordered, overall, terms_of
from firstread.evaluation.alarms import figures_of
from firstread.evaluation.answers import Answers, read_dataset
from firstread.evaluation.calibration import line, reliability
from firstread.evaluation.evaluation import Evaluation, LabelMore
from firstread.evaluation.metrics import (
    Share,
    among_first,
    calibration_error,
    confusion,
    mean_of,
    of_labels,
    share_of,
)
from firstread.evaluation.parts import set_aside
from firstread.evaluation.ranking import area_with_interval, coarse, curve, mean_area
from firstread.evaluation.resample import DRAWS, percentiles, resamples
from firstread.packs import Manifest
from firstread.runtime import PackReader


def evaluate_samples(
    reader: PackReader,
    dataset: Dataset,
    *,
    threads: int = 2,
    step: Callable[[], None] = lambda: None,
    draws: int = DRAWS,
) -> Evaluation:
    """Read every sample of `dataset` and compare; `step` is called after each.

    `draws` is from how many resamples intervals are read. Raises BadDataset where the folder has a
    label that the pack does not know, or holds another kind of sample than the pack reads. Samples
    that cannot be opened are listed, not raised.
    """
    answers = read_dataset(reader, dataset, threads=threads, step=step)
    found = measured(answers, pack=reader.manifest, dataset=dataset.name, draws=draws)
    return replace(found, learnt=has_learnt(reader.manifest, dataset))


def has_learnt(pack: Manifest, dataset: Dataset) -> bool:
    """Whether the pack was made of this very set, whole as it is."""
    known = {used.sha256 for used in pack.provenance.datasets if used.n == len(dataset.items)}
    if not known:  # another set, known without hashing every sample of it
        return False
    return dataset.sha256 in known or named(dataset, pack.codes).sha256 in known


def measured(answers: Answers, *, pack: Manifest, dataset: str, draws: int = DRAWS) -> Evaluation:
    """The figures of answers that were given already; `dataset` is the set's name."""
    truths, chances, clusters = answers.truths, answers.chances, answers.clusters
    labels = of_labels(truths, chances, labels=answers.codes, clusters=clusters)
    right = chances.argmax(1) == truths
    held = answers.sets[np.arange(len(truths)), truths]
    figures, debiased = _figures(answers, draws=draws)
    return Evaluation(
        pack=pack.name,
        version=pack.version,
        dataset=dataset,
        n=len(truths),
        accuracy=figures["accuracy"],
        balanced_accuracy=mean_of([each.sensitivity.value for each in labels]),
        auc=mean_of([each.auc for each in labels]),
        # A label that is neither in the folder nor in an answer has no F1 to speak of.
        f1=mean_of([each.f1 for each in labels]),
        labels=tuple(labels),
        more=tuple(_more(answers, index, held=held) for index in range(len(labels))),
        ece=calibration_error(truths, chances),
        ece_debiased=debiased,
        coverage=figures["coverage"],
        mean_set_size=float(answers.sets.sum(1).mean()),
        unfamiliar=int(answers.unfamiliar.sum()),
        unfit=int(answers.unfit.sum()),
        confusion=tuple(
            tuple(int(cell) for cell in row)
            for row in confusion(truths, chances.argmax(1), count=len(labels))
        ),
        figures=figures,
        alarms=tuple(
            figures_of(answers, code, draws=draws)
            for code in dict.fromkeys((*answers.alarms, *answers.groups))
        ),
        kept=set_aside(answers),
        reliability=reliability(right, chances.max(1), clusters=clusters),
        line=line(right, chances.max(1), clusters=clusters),
        ms=float(np.median(answers.ms)),
        answers=answers,
    )


def _figures(answers: Answers, *, draws: int) -> tuple[dict[str, Share], float]:
    """The overall figures with intervals, and the calibration error less its bias."""
    truths, chances, clusters = answers.truths, answers.chances, answers.clusters
    terms = terms_of(
        truths,
        chances,
        sets=answers.sets,
        given=answers.named,
        ordered=are_ordered(answers.codes),
        clusters=clusters,
    )
    whole = overall(terms)
    drawn_again = resamples(len(truths), clusters=clusters, draws=draws)
    blocks = [overall(terms, block) for block in drawn_again]
    drawn = {name: np.concatenate([block[name] for block in blocks]) for name in whole}
    figures = {name: _share(float(value[0]), drawn[name]) for name, value in whole.items()}
    for name in ("ece", "ece_equal_mass"):
        figures[name] = _reversed(float(whole[name][0]), drawn[name])
    held = answers.sets[np.arange(len(truths)), truths]
    figures["accuracy"] = share_of(answers.given == truths, clusters=clusters)
    if len(answers.codes) > MANY:  # people are shown the first five of many
        held_first = among_first(truths, chances, count=FIRST)
        figures["top_five_accuracy"] = share_of(held_first, clusters=clusters)
    figures["coverage"] = share_of(held, clusters=clusters)
    figures |= _among_groups(answers)
    sides = [answers.of(code) for code in answers.codes]
    figures["auc"] = mean_area(sides, clusters=clusters)
    figures["average_precision"] = _mean_precision(answers, draws=draws)
    ece = figures["ece"].value
    return figures, max(0.0, 2 * ece - float(drawn["ece"].mean()))


def _among_groups(answers: Answers) -> dict[str, Share]:
    """Of each group with several labels, how often one of its samples got its very label."""
    right = answers.given == answers.truths
    found = {}
    for code in (group for group, labels in answers.groups.items() if len(labels) > 1):
        true, _ = answers.of(code)
        own = None if answers.clusters is None else answers.clusters[true]
        if true.any():
            found[f"accuracy_among_{code}"] = share_of(right[true], clusters=own)
    return found


def _share(value: float, drawn: NDArray[np.float64]) -> Share:
    low, high = percentiles(drawn)
    if low == high:  # no resample differs, so they say nothing of what is not known
        return Share(value=value, low=math.nan, high=math.nan)
    return Share(value=value, low=min(low, value), high=max(high, value))


def _reversed(value: float, drawn: NDArray[np.float64]) -> Share:
    """The basic interval: a resample's error lies above the set's as that lies above the truth."""
    low, high = percentiles(drawn)
    ends = max(0.0, 2 * value - high), 2 * value - low
    return Share(value=value, low=min(value, ends[0]), high=max(value, ends[1]))


_MOST_LABELS = 40
"""Of more labels than these the mean average precision is told without an interval."""


def _mean_precision(answers: Answers, *, draws: int) -> Share:
    sides = [answers.of(code) for code in answers.codes]
    known = [(true, said) for true, said in sides if true.any()]
    value = mean_of([float(curve(*side).average_precision()[0]) for side in known])
    if len(known) > _MOST_LABELS:
        return Share(value=value, low=math.nan, high=math.nan)
    ranked = [(true, coarse(said)) for true, said in known]
    rows = []
    clusters = answers.clusters
    for block in resamples(len(answers.truths), clusters=clusters, draws=draws):
        each = np.stack(
            [curve(*side, block, clusters=clusters).average_precision() for side in ranked]
        )
        there = np.isfinite(each)
        rows.append(np.where(there, each, 0).sum(0) / np.maximum(there.sum(0), 1))
    return _share(value, np.concatenate(rows))


def _more(answers: Answers, index: int, *, held: NDArray[np.bool_]) -> LabelMore:
    true, said = answers.of(answers.codes[index])
    clusters = answers.clusters
    return LabelMore(
        auc=area_with_interval(true, said, clusters=clusters),
        average_precision=float(curve(true, said).average_precision()[0])
        if true.any()
        else math.nan,
        coverage=share_of(held[true], clusters=None if clusters is None else clusters[true]),
        mean_set_size=float(answers.sets[true].sum(1).mean()) if true.any() else math.nan,
    )
