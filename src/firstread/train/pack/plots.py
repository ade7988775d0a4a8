"""The pictures of a card: how it learnt, what it confuses, what its alarms cost, and whether its
chances and finding sets hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation import auc, confusion, wilson
from firstread.packs import Manifest
from firstread.runtime.calibrate import finding_set
from firstread.train.history import Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Truths = NDArray[np.int64]
Chances = NDArray[np.float64]

# A phone shows a card about four hundred points wide: one picture under the other, none beside.
WIDTH_IN, HEIGHT_IN = 4.6, 3.6
INK, GUIDE, PAPER = "#1b2a3a", "#9aa7b4", "#ffffff"
# Okabe and Ito's colours, which people who see fewer colours tell apart too; without the yellow.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1b2a3a")


@dataclass(frozen=True, kw_only=True)
class Alarmed:
    """Something that raises an alarm: a positive label or a group, as its labels' places.

    `threshold` is where its operating point is; None where it has none.
    """

    title: str
    places: tuple[int, ...]
    threshold: float | None


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
    codes = manifest.codes
    drawn: dict[str, tuple[str, Callable[[Axes], None]]] = {}
    if histories:
        words = "Learning curves: loss of training and validation samples, and accuracy, by epoch"
        drawn["learning.svg"] = words, lambda axes: _learning(axes, histories, kept)
    drawn["confusion.svg"] = (
        "Confusion matrix: a row for each true label, a column for each label read",
        lambda axes: _confusion(axes, truths, chances, codes),
    )
    alarms = _alarms(manifest)
    if alarms:
        words = "ROC curves: sensitivity against the share of false alarms"
        drawn["roc.svg"] = words, lambda axes: _roc(axes, truths, chances, alarms)
        words = "Precision-recall curves: how many alarms are right, against how many are found"
        drawn["precision-recall.svg"] = (
            words,
            lambda axes: _precision_recall(axes, truths, chances, alarms),
        )
    drawn["reliability.svg"] = (
        "Reliability: how often answers of a stated chance were right",
        lambda axes: _reliability(axes, truths, chances),
    )
    if manifest.conformal is not None:
        sets = [finding_set(codes, row, conformal=manifest.conformal) for row in chances]
        coverage = manifest.conformal.coverage
        drawn["coverage.svg"] = (
            "Coverage: how often the finding set holds the right label, and its mean size",
            lambda axes: _coverage(axes, truths, sets, codes, coverage),
        )
    for name, (_, paint) in drawn.items():
        _write(folder / name, paint, tall=name == "confusion.svg" and len(codes) > 5)
    return {name: words for name, (words, _) in drawn.items()}


def _alarms(manifest: Manifest) -> list[Alarmed]:
    codes = manifest.codes
    thresholds = {point.label: point.threshold for point in manifest.operating_points}
    answers = [(group.code, group.title, group.labels) for group in manifest.groups]
    answers += [(each.code, each.title, (each.code,)) for each in manifest.labels if each.positive]
    # As many as there are colours: among more curves nobody finds one.
    return [
        Alarmed(
            title=title,
            places=tuple(codes.index(each) for each in labels),
            threshold=thresholds.get(code),
        )
        for code, title, labels in answers[: len(COLOURS)]
    ]


def _write(path: Path, paint: Callable[[Axes], None], *, tall: bool) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: Any = {
        # The same figures give the same bytes, so that a pack that is made again has the same
        # checksums; words stay words, which keeps the file small.
        "svg.hashsalt": "firstread",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
        "font.size": 9,
        "axes.edgecolor": GUIDE,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "path.simplify_threshold": 0.5,
    }
    with mpl.rc_context(style):
        size = (WIDTH_IN, WIDTH_IN if tall else HEIGHT_IN)
        figure = Figure(figsize=size, layout="constrained", facecolor=PAPER)
        paint(figure.subplots())
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _learning(axes: Axes, histories: Sequence[Sequence[Progress]], kept: Sequence[int]) -> None:
    for number, history in enumerate(histories):
        curves = {
            "training loss": [row.loss for row in history],
            "validation loss, calibrated": [row.validation_loss for row in history],
            "validation accuracy": [row.accuracy for row in history],
        }
        for (words, curve), colour in zip(curves.items(), COLOURS, strict=False):
            if not all(math.isnan(each) for each in curve):
                # An underscore keeps the runs after the first out of the legend.
                label = f"_{words}" if number else words
                axes.plot(range(1, len(curve) + 1), curve, color=colour, label=label)
    for epoch in sorted(set(kept)):
        axes.axvline(epoch, color=GUIDE, linestyle=":", label=f"kept: epoch {epoch}")
    axes.set(xlabel="epoch", ylim=(0, None), title="How it learnt")
    axes.legend(fontsize=8)


def _confusion(axes: Axes, truths: Truths, chances: Chances, codes: Sequence[str]) -> None:
    counts = confusion(truths, chances.argmax(1), count=len(codes))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors=PAPER, linewidth=1)
    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            colour = PAPER if shares[row, column] > 0.5 else INK
            words = str(counts[row, column])
            axes.text(column + 0.5, row + 0.5, words, ha="center", va="center", color=colour)
    middles = np.arange(len(codes)) + 0.5
    axes.set_xticks(middles, codes, rotation=40, ha="right")
    axes.set_yticks(middles, codes)
    axes.invert_yaxis()
    axes.set(xlabel="read as", ylabel="truly", title="What it confuses")
    axes.tick_params(length=0)


def _steps(true: NDArray[np.bool_], scores: Chances) -> tuple[Chances, Chances]:
    """True and false alarms at each threshold, from the highest score down; ties count at once."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = np.cumsum(true[order])[ends].astype(float)
    return hits, ends + 1 - hits


def _of(truths: Truths, chances: Chances, alarm: Alarmed) -> tuple[NDArray[np.bool_], Chances]:
    places = list(alarm.places)
    return np.isin(truths, places), chances[:, places].sum(1)


def _roc(axes: Axes, truths: Truths, chances: Chances, alarms: Sequence[Alarmed]) -> None:
    axes.plot([0, 1], [0, 1], color=GUIDE, linewidth=1)
    shown = 0.1
    for alarm, colour in zip(alarms, COLOURS, strict=False):
        true, scores = _of(truths, chances, alarm)
        if true.all() or not true.any():
            continue
        hits, false = _steps(true, scores)
        spared, found = np.append(0, false / (~true).sum()), np.append(0, hits / true.sum())
        shown = max(shown, float(spared[found >= 0.99][0]))
        words = f"{alarm.title}: AUC {auc(true, scores):.3f}"
        axes.plot(*_thin(spared, found), color=colour, label=words)
        if alarm.threshold is not None:
            said = scores >= alarm.threshold
            axes.plot(said[~true].mean(), said[true].mean(), "o", color=colour, markersize=5)
            shown = max(shown, float(said[~true].mean()))
    # The part in which something happens: where nearly all are found, the rest is a flat line.
    axes.set(xlim=(-0.01 * shown, min(1.0, shown * 1.3)), ylim=(-0.01, 1.02))
    axes.set_title("What finding more costs (dot: where the alarm is set)")
    axes.set(xlabel="false alarms among the others", ylabel="found (sensitivity)")
    _named_below(axes)


def _precision_recall(
    axes: Axes, truths: Truths, chances: Chances, alarms: Sequence[Alarmed]
) -> None:
    for alarm, colour in zip(alarms, COLOURS, strict=False):
        true, scores = _of(truths, chances, alarm)
        if not true.any():
            continue
        hits, false = _steps(true, scores)
        found, right = hits / true.sum(), hits / (hits + false)
        mean = float((np.diff(np.append(0, found)) * right).sum())
        x, y = _thin(found, right)
        axes.plot(x, y, color=colour, label=f"{alarm.title}: AP {mean:.3f}")
        axes.axhline(float(true.mean()), color=colour, linewidth=0.8, linestyle=":")
    axes.set(xlim=(-0.01, 1.01), ylim=(0, 1.02), title="How many alarms are right")
    axes.set(xlabel="found (sensitivity)", ylabel="right among the alarms")
    _named_below(axes)


def _named_below(axes: Axes) -> None:
    """The curves' names stand below them: inside, a curve of few samples crosses them anywhere."""
    axes.get_figure(root=True).legend(fontsize=8, loc="outside lower left")  # type: ignore[union-attr]  # the axes are in a figure


def _thin(x: Chances, y: Chances, *, at_most: int = 200) -> tuple[Chances, Chances]:
    """As many points of a curve as an eye can tell apart; the first and the last stay."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(at_most, len(x))).round().astype(int))
    return x[kept], y[kept]


def _reliability(axes: Axes, truths: Truths, chances: Chances, *, bins: int = 10) -> None:
    sure, right = chances.max(1), chances.argmax(1) == truths
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    stated = np.array([sure[part].mean() for part in parts])
    shares = [wilson(int(right[part].sum()), len(part)) for part in parts]
    true = np.array([share.value for share in shares])
    reach = np.array([[s.value - s.low, s.high - s.value] for s in shares]).T.clip(0)
    axes.plot([0, 1], [0, 1], color=GUIDE, linewidth=1)
    axes.errorbar(stated, true, yerr=reach, fmt="o-", color=COLOURS[0], markersize=4, elinewidth=1)
    low = max(0.0, min(float(stated.min()), float((true - reach[0]).min())) - 0.05)
    axes.set(xlim=(low, 1.01), ylim=(low, 1.02), title="Do the stated chances hold?")
    axes.set(xlabel="stated chance of the answer", ylabel="share that was right, 95 % interval")


def _coverage(
    axes: Axes,
    truths: Truths,
    sets: Sequence[Sequence[str]],
    codes: Sequence[str],
    coverage: float,
) -> None:
    held = np.array([codes[t] in inside for t, inside in zip(truths, sets, strict=True)])
    sizes = np.array([len(inside) for inside in sets])
    present = [index for index in range(len(codes)) if (truths == index).any()]
    rows = [("all", np.ones(len(truths), bool)), *((codes[i], truths == i) for i in present)]
    for place, (_, here) in enumerate(rows):
        share = wilson(int(held[here].sum()), int(here.sum()))
        axes.plot([share.low, share.high], [place, place], color=COLOURS[0], linewidth=1)
        axes.plot([share.value], [place], "o", color=COLOURS[0], markersize=5)
    names = [f"{name} ({sizes[here].mean():.2f})" for name, here in rows]
    axes.axvline(coverage, color=GUIDE, linestyle=":")
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.set(title="Does the finding set hold the right label?")
    axes.set(xlabel=f"coverage, 95 % interval; promised {coverage:.2f}")
    axes.set(ylabel="true label (mean size of the set)")
