"""A pack reads annotated recordings: whether every beat was found, and named as people named it.

Beats are compared one by one within 150 ms (ANSI/AAMI EC57). Stretches in which the ventricles
flutter or fibrillate hold no beats that could be told, and are left out. Unlike EC57, the first
five minutes count too: the pack learns nothing from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset, Item
from firstread.datasets.forms.records import beats_of
from firstread.domain.errors import BadDataset
from firstread.evaluation.answers import Answers, read_each, refuse_other_labels
from firstread.evaluation.evaluation import BeatFigures, Evaluation, RecordFigures
from firstread.evaluation.figures import has_learnt, measured
from firstread.evaluation.matching import WITHIN_S, match, outside
from firstread.evaluation.metrics import (
    confusion,
    of_labels,
    share_of,
)
from firstread.evaluation.resample import DRAWS
from firstread.packs import Manifest
from firstread.recordings import Recording, open_recording
from firstread.runtime import PackReader
from firstread.runtime.calibrate import finding_set
from firstread.runtime.kinds.recording import beat_familiarity, named_beats
from firstread.runtime.recording import NamedBeats

_EXCUSED = {"V": "FQ", "S": "Q"}
"""Beats that may be named so without a mistake (EC57, as de Chazal et al. 2004 count)."""


def excused_from(
    code: str, truths: NDArray[np.int64], *, codes: Sequence[str]
) -> NDArray[np.bool_]:
    """Which beats [B] of the true labels `truths` do not count when they are named `code`.

    >>> excused_from("V", np.array([0, 1, 2]), codes=("N", "V", "F")).tolist()
    [False, False, True]
    """
    return np.isin(truths, [codes.index(c) for c in _EXCUSED.get(code, "") if c in codes])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Row:
    """One record, read and compared."""

    item: Item
    figures: RecordFigures
    named: NamedBeats
    found: NDArray[np.int64]
    """Places of the beats that are true ones."""
    truths: NDArray[np.int64]
    true_s: NDArray[np.float64]
    """When the true ones are, in seconds from the beginning."""
    missed: NDArray[np.int64]
    """Labels of the beats that were not found."""
    extra: NDArray[np.int64]
    """Labels given to what is no beat."""
    familiarity: NDArray[np.float64]
    unfamiliar: NDArray[np.bool_]
    ms: float


def evaluate_recordings(
    reader: PackReader,
    dataset: Dataset,
    *,
    threads: int = 2,
    step: Callable[[], None] = lambda: None,
    draws: int = DRAWS,
) -> Evaluation:
    """Read every record of `dataset` and compare beat by beat; `step` is called after each.

    Of the figures of labels, a beat's answer is the label that the pack gave it, which is not
    always the most probable one; calibration, coverage and areas are those of the probabilities.
    Intervals are by record. Raises BadDataset as `evaluate` does.
    """
    refuse_other_labels(reader, dataset)
    rows, unreadable = read_each(
        dataset, partial(_compared, reader, dataset), threads=threads, step=step
    )
    if not rows:
        raise BadDataset(
            f"None of the records of {dataset.name} could be read. {unreadable[0]['error']}"
        )
    if not sum(len(row.truths) for row in rows):
        raise BadDataset(
            f"The pack {reader.manifest.name} found none of the beats that are annotated in "
            f"{dataset.name}. Look at its signals, or name another pack."
        )
    answers = _gathered(rows, pack=reader.manifest, unreadable=unreadable)
    found = measured(answers, pack=reader.manifest, dataset=dataset.name, draws=draws)
    return _as_named(replace(found, learnt=has_learnt(reader.manifest, dataset)), rows)


def _compared(reader: PackReader, dataset: Dataset, item: Item) -> _Row:
    began = time.perf_counter()
    recording = open_recording(dataset.data(item))
    named, unfit = named_beats(reader, recording)
    took_ms = (time.perf_counter() - began) * 1000
    codes = reader.manifest.codes
    truth = beats_of(dataset, item)
    unknown = sorted(set(truth.labels) - set(codes))
    if unknown:
        raise BadDataset(
            f"The record {item.path} has beats of the label '{unknown[0]}', which the pack does "
            f"not know. It knows: {', '.join(codes)}. Name another pack."
        )
    true_s, asides = _moments(truth.samples, truth.asides, recording)
    kept = outside(true_s, asides, margin_s=0.0)
    truths = np.array([codes.index(label) for label in truth.labels], np.int64)[kept]
    inside = np.flatnonzero(outside(named.at_s, asides, margin_s=WITHIN_S))
    pairs = match(true_s[kept], named.at_s[inside])
    found = inside[pairs.found]
    near = beat_familiarity(reader, named, found)
    figures = RecordFigures(
        record=item.path,
        beats=len(truths),
        missed=len(pairs.missed),
        extra=len(pairs.extra),
        right=int((named.labels[found] == truths[pairs.true]).sum()),
        unfit=unfit,
    )
    return _Row(
        item=item,
        figures=figures,
        named=named,
        found=found,
        truths=truths[pairs.true],
        true_s=true_s[kept][pairs.true],
        missed=truths[pairs.missed],
        extra=named.labels[inside[pairs.extra]],
        familiarity=np.array([np.nan if each is None else each.score for each in near]),
        unfamiliar=np.array([each is not None and not each.familiar for each in near], bool),
        ms=took_ms / max(1, len(named.at_s)),
    )


def _moments(
    samples: NDArray[np.int64], asides: tuple[tuple[int, int], ...], recording: Recording
) -> tuple[NDArray[np.float64], tuple[tuple[float, float], ...]]:
    rate_hz = recording.rate_hz
    return samples / rate_hz, tuple((begin / rate_hz, end / rate_hz) for begin, end in asides)


def _gathered(
    rows: list[_Row], *, pack: Manifest, unreadable: tuple[dict[str, str], ...]
) -> Answers:
    codes = pack.codes
    chances = np.concatenate([row.named.chances[row.found] for row in rows])
    labels = np.concatenate([row.named.labels[row.found] for row in rows])
    truths = np.concatenate([row.truths for row in rows])
    samples = [
        Item(path=_place(row.item, at_s), label=codes[truth], patient=row.item.patient)
        for row in rows
        for truth, at_s in zip(row.truths.tolist(), row.true_s.tolist(), strict=True)
    ]
    return Answers(
        codes=codes,
        truths=truths,
        chances=chances,
        sets=_sets(chances, labels, pack=pack),
        groups={group.code: group.labels for group in pack.groups},
        alarms=_alarms(labels, pack=pack),
        familiarity=np.concatenate([row.familiarity for row in rows]),
        unfamiliar=np.concatenate([row.unfamiliar for row in rows]),
        unfit=np.repeat(
            [row.figures.unfit is not None for row in rows], [len(r.truths) for r in rows]
        ),
        samples=tuple(samples),
        ms=np.repeat([row.ms for row in rows], [len(row.truths) for row in rows]),
        unreadable=unreadable,
        named=labels,
    )


def _sets(
    chances: NDArray[np.float64], labels: NDArray[np.int64], *, pack: Manifest
) -> NDArray[np.bool_]:
    """Which labels [B, K] cannot be ruled out; without conformal sets the given ones alone."""
    if pack.conformal is None:
        return np.eye(len(pack.codes), dtype=bool)[labels]
    inside = [finding_set(pack.codes, row, conformal=pack.conformal) for row in chances]
    return np.array([[code in kept for code in pack.codes] for kept in inside], bool)


def _alarms(labels: NDArray[np.int64], *, pack: Manifest) -> dict[str, NDArray[np.bool_]]:
    """Which beats [B] raise each alarm: a label's own, and those of the labels of a group."""
    rung: dict[str, tuple[str, ...]] = {
        each.code: (each.code,) for each in pack.labels if each.positive
    }
    rung |= {each.code: each.labels for each in pack.groups if each.positive}
    return {
        alarm: np.isin(labels, [pack.codes.index(code) for code in codes])
        for alarm, codes in rung.items()
    }


def _place(item: Item, at_s: float) -> str:
    """Where a beat is found again: its record and minute.

    >>> _place(Item(path="203", label=""), 632.4151)
    '203 at 10:32.415'
    """
    minutes, rest_ms = divmod(round(at_s * 1000), 60_000)
    return f"{item.path} at {minutes}:{rest_ms // 1000:02d}.{rest_ms % 1000:03d}"


def _as_named(found: Evaluation, rows: list[_Row]) -> Evaluation:
    """The evaluation with the labels that beats were given, not the most probable ones."""
    answers = found.answers
    codes, truths, clusters = answers.codes, answers.truths, answers.clusters
    labels = answers.given
    shown = np.eye(len(codes))[labels]
    given = [
        replace(each, auc=before.auc)
        for each, before in zip(
            of_labels(truths, shown, labels=codes, clusters=clusters), found.labels, strict=True
        )
    ]
    return replace(
        found,
        accuracy=found.figures["accuracy"],
        balanced_accuracy=found.figures["balanced_accuracy"].value,
        f1=found.figures["f1"].value,
        labels=tuple(given),
        confusion=tuple(
            tuple(int(cell) for cell in row) for row in confusion(truths, labels, count=len(codes))
        ),
        beats=_beat_figures(rows, labels, codes=codes),
    )


def _beat_figures(
    rows: list[_Row], labels: NDArray[np.int64], *, codes: tuple[str, ...]
) -> BeatFigures:
    found = np.concatenate([np.ones(len(r.truths), bool) for r in rows])
    missed = np.concatenate([np.zeros(len(r.missed), bool) for r in rows])
    extra = np.concatenate([np.zeros(len(r.extra), bool) for r in rows])
    own = np.repeat(np.arange(len(rows)), [len(r.truths) for r in rows])
    of_missed = np.repeat(np.arange(len(rows)), [len(r.missed) for r in rows])
    of_extra = np.repeat(np.arange(len(rows)), [len(r.extra) for r in rows])
    truths = np.concatenate([r.truths for r in rows])
    lost = np.concatenate([r.missed for r in rows])
    made_up = np.concatenate([r.extra for r in rows])
    of_found = of_labels(truths, np.eye(len(codes))[labels], labels=codes)
    figures = []
    for place, (code, plain) in enumerate(zip(codes, of_found, strict=True)):
        true, said = truths == place, labels == place
        excused = excused_from(code, truths, codes=codes)
        hit = np.concatenate([said[true], np.zeros(int((lost == place).sum()), bool)])
        hit_of = np.concatenate([own[true], of_missed[lost == place]])
        counted = said & ~excused
        right = np.concatenate([true[counted], np.zeros(int((made_up == place).sum()), bool)])
        right_of = np.concatenate([own[counted], of_extra[made_up == place]])
        figures.append(
            replace(
                plain,
                n=len(hit),
                sensitivity=share_of(hit, clusters=hit_of),
                ppv=share_of(right, clusters=right_of),
            )
        )
    return BeatFigures(
        records=tuple(row.figures for row in rows),
        detection_sensitivity=share_of(
            np.concatenate([found, missed]), clusters=np.concatenate([own, of_missed])
        ),
        detection_ppv=share_of(
            np.concatenate([found, extra]), clusters=np.concatenate([own, of_extra])
        ),
        labels=tuple(figures),
    )
