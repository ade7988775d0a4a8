"""The pictures of a card: how it learnt, what it confuses, what its alarms cost, and whether its
chances and finding sets hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation import confusion, wilson
from firstread.evaluation.calibration import reliability
from firstread.evaluation.report import drawings
from firstread.evaluation.report.charts import (
    Axis,
    Drawing,
    Row,
    Trace,
    as_file,
    chart,
    forest,
    matrix,
    round_top,
)
from firstread.packs import Manifest
from firstread.runtime.calibrate import finding_set
from firstread.train.history import Progress

Truths = NDArray[np.int64]
Chances = NDArray[np.float64]


def draw(
    folder: Path,
    manifest: Manifest,
    *,
    truths: Truths,
    chances: Chances,
    histories: Sequence[Sequence[Progress]] = (),
    kept: Sequence[int] = (),
) -> dict[str, str]:
    """Write the pictures of the test part's answers (`truths` [N], `chances` [N, K]) into the pack;
    the words for each, by file name.

    `histories` are the epochs of each run, and `kept` those whose weights the pack has.

    Each is a small SVG on its own paper, so that it reads on a dark page too.
    """
    counts = confusion(truths, chances.argmax(1), count=len(manifest.codes))
    alarms = _alarms(manifest, truths, chances)
    bins = reliability(chances.argmax(1) == truths, chances.max(1))
    drawn: dict[str, tuple[str, Sequence[Drawing]]] = {
        "learning.svg": (
            "Learning curves: loss of training and validation samples, and accuracy, by epoch",
            _learning(histories, kept) if histories else (),
        ),
        "confusion.svg": (
            "Confusion matrix: a row for each true label, a column for each label read",
            [matrix(counts, names=manifest.codes, title="What it confuses")],
        ),
        "roc.svg": (
            "ROC curves: sensitivity against the share of false alarms",
            drawings.roc(alarms),
        ),
        "precision-recall.svg": (
            "Precision-recall curves: how many alarms are right, against how many are found",
            drawings.precision(alarms),
        ),
        "reliability.svg": (
            "Reliability: how often answers of a stated chance were right",
            [drawings.reliability(bins, title="Do the stated chances hold?")],
        ),
        "coverage.svg": (
            "Coverage: how often the finding set holds the right label, and its mean size",
            _coverage(manifest, truths, chances),
        ),
    }
    for name, (_, made) in drawn.items():
        if made:
            (folder / name).write_text(as_file(*made), encoding="utf-8")
    return {name: words for name, (words, made) in drawn.items() if made}


def _alarms(manifest: Manifest, truths: Truths, chances: Chances) -> list[drawings.Scored]:
    """What raises an alarm: the groups, and the positive labels."""
    thresholds = {point.label: point.threshold for point in manifest.operating_points}
    answers = [(group.code, group.title, group.labels) for group in manifest.groups]
    answers += [(each.code, each.title, (each.code,)) for each in manifest.labels if each.positive]
    found = []
    for code, title, labels in answers[: drawings.CURVES]:
        places = [manifest.codes.index(each) for each in labels]
        true, said = np.isin(truths, places), chances[:, places].sum(1)
        threshold = thresholds.get(code)
        found.append(drawings.Scored(name=title, true=true, said=said, threshold=threshold))
    return found


def _learning(histories: Sequence[Sequence[Progress]], kept: Sequence[int]) -> list[Drawing]:
    """The curves of several runs have the same colours, and are named once."""
    traces = []
    for number, history in enumerate(histories):
        curves = {
            "training loss": [row.loss for row in history],
            "validation loss, calibrated": [row.validation_loss for row in history],
            "validation accuracy": [row.accuracy for row in history],
        }
        epochs = np.arange(1.0, len(history) + 1)
        for colour, (name, curve) in enumerate(curves.items()):
            if not all(math.isnan(each) for each in curve):
                named = "" if number else name
                traces.append(Trace(name=named, x=epochs, y=np.array(curve), colour=colour))
    top = round_top(float(np.nanmax([np.nanmax(each.y) for each in traces])))
    for epoch in sorted(set(kept)):
        at = np.full(2, float(epoch))
        name = f"kept: epoch {epoch}"
        traces.append(Trace(name=name, x=at, y=np.array([0.0, top]), faint=True))
    across = Axis(title="epoch", high=4.0 * math.ceil(max(map(len, histories)) / 4))
    up = Axis(title="loss, or share", high=top)
    return [chart(traces, across=across, up=up, title="How it learnt")]


def _coverage(manifest: Manifest, truths: Truths, chances: Chances) -> list[Drawing]:
    if manifest.conformal is None:
        return []
    codes, promised = manifest.codes, manifest.conformal.coverage
    sets = [finding_set(codes, row, conformal=manifest.conformal) for row in chances]
    held = np.array([codes[t] in inside for t, inside in zip(truths, sets, strict=True)])
    sizes = np.array([len(inside) for inside in sets])
    present = [index for index in range(len(codes)) if (truths == index).any()]
    rows = []
    for name, here in [("all", truths >= 0), *((codes[i], truths == i) for i in present)]:
        share = wilson(int(held[here].sum()), int(here.sum()))
        told = f"{name}, mean size {sizes[here].mean():.2f}"
        rows.append(Row(name=told, value=share.value, low=share.low, high=share.high))
    low = min(promised, *(each.low for each in rows))
    title = f"Does the finding set hold the right label? Promised {promised:.2f}, 95 % intervals"
    return [forest(rows, title=title, span=(math.floor(low * 10) / 10, 1.0), mark=promised)]
