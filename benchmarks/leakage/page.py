"""The rows as tables and a picture, written between two markers of docs/leakage.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from firstread.train.allds2020.over_seeds import Interval, mean_interval

BEGIN, END = "<!-- leakage: begin -->", "<!-- leakage: end -->"
PLOT = "leakage.svg"
OPTIMISERS = {"adam": "Adam", "rmsprop": "RMSprop"}
WAYS = {
    "as it was done": "as it was done: copied, then split",
    "split first": "the honest way: split, then copied",
}
PATIENT_WAYS = {
    "split by picture": "other cells of the same patients",
    "split by patient": "as many cells of other patients",
}
FIGURES = {
    "accuracy": "accuracy",
    "auc": "AUC",
    "recall": "sensitivity",
    "specificity": "specificity",
}

Row = dict[str, Any]


def write_page(rows: Sequence[Row], *, docs: Path) -> None:
    """Replace what stands between the markers of the page, and draw the picture beside it."""
    page = docs / "leakage.md"
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{page} has no place for the figures: put '{BEGIN}' and '{END}' in it.")
    if not rows:
        raise SystemExit("Nothing was measured yet. Run this without --page first.")
    before, rest = text.split(BEGIN)
    draw(rows, docs / "pictures" / PLOT)
    told = "\n\n".join([*_copies(rows), _picture(), *_patients(rows)])
    page.write_text(f"{before}{BEGIN}\n\n{told}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


def _of(rows: Sequence[Row], **wanted: str) -> list[Row]:
    found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return sorted(found, key=lambda row: int(row["seed"]))


def over(rows: Sequence[Row], part: str, figure: str) -> Interval:
    """A figure of one part over the seeds."""
    return mean_interval([float(row[part][figure]) for row in rows])


def apart(rows: Sequence[Row], figure: str, one: str, other: str) -> Interval:
    """How far two parts of the same networks are apart over the seeds, seed by seed."""
    return mean_interval([float(row[one][figure]) - float(row[other][figure]) for row in rows])


def between(ones: Sequence[Row], others: Sequence[Row], part: str, figure: str) -> Interval:
    """How far two ways are apart on the same samples over the seeds, seed by seed."""
    pairs = zip(ones, others, strict=True)
    return mean_interval([float(a[part][figure]) - float(b[part][figure]) for a, b in pairs])


def _cell(found: Interval) -> str:
    return f"{found.mean:.3f} ({max(0, found.low):.3f} to {min(1, found.high):.3f})"


def _points(found: Interval) -> str:
    return f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])


def _copies(rows: Sequence[Row]) -> list[str]:
    told = []
    for optimiser, name in OPTIMISERS.items():
        of = _of(rows, study="copies", optimiser=optimiser)
        if not of:
            continue
        lines, merits = [], []
        for way, title in WAYS.items():
            runs = _of(of, way=way)
            lines.append(
                [
                    title,
                    _cell(over(runs, "validation", "accuracy")),
                    _cell(over(runs, "aside", "accuracy")),
                    _cell(over(runs, "others", "accuracy")),
                    _points(apart(runs, "accuracy", "validation", "others")),
                ]
            )
            for part, where in (
                ("validation", "its own validation"),
                ("others", "all other cells"),
            ):
                figures = [_cell(over(runs, part, figure)) for figure in FIGURES]
                merits.append([f"{title.split(':')[0]}, {where}", *figures])
        one = of[0]
        head = [
            name,
            "accuracy on its own validation part",
            f"on {one['aside']['n']} put aside",
            f"on the {one['others']['n']} other cells",
            "too good by, in points",
        ]
        seeds = len({row["seed"] for row in of})
        told.append(f"**{name}**, accuracy over {seeds} seeds:\n\n{_table(head, lines)}")
        told.append(_table([name, *FIGURES.values()], merits))
    return told


def _picture() -> str:
    return (
        f"![What a split states and what is true of other cells, seed by seed](pictures/{PLOT})\n\n"
        "Each line is one network: on the left what its own validation part says of it, on the "
        "right what is true of cells that neither side of its split held."
    )


def _patients(rows: Sequence[Row]) -> list[str]:
    of = _of(rows, study="patients")
    if not of:
        return []
    by_way = {way: _of(of, way=way) for way in PATIENT_WAYS}
    lines = [
        [title, *[_cell(over(by_way[way], "tested", figure)) for figure in FIGURES]]
        for way, title in PATIENT_WAYS.items()
    ]
    same, others = by_way.values()
    lines.append(
        ["apart, in points", *[_points(between(same, others, "tested", f)) for f in FIGURES]]
    )
    tested = sorted(row["tested"]["n"] for row in same)
    heading = (
        f"**Cells of one patient**, over {len(same)} seeds, {tested[0]} to {tested[-1]} tested "
        "cells each:"
    )
    return [heading, _table(["learnt from", *FIGURES.values()], lines)]


def draw(rows: Sequence[Row], path: Path) -> None:
    """A panel for each optimiser and way, a line for each seed. SVG, the same figures give the same
    bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update({"svg.hashsalt": "firstread", "font.size": 9, "axes.titlesize": 10})
    shown = [one for one in OPTIMISERS if _of(rows, study="copies", optimiser=one)]
    figure = Figure(
        figsize=(4.4 * max(1, len(shown)), 3.3), layout="constrained", facecolor="white"
    )
    panels = figure.subplots(1, max(1, len(shown)), squeeze=False, sharey=True)[0]
    colours = {"as it was done": "#b4472b", "split first": "#1f5fa8"}
    for panel, optimiser in zip(panels, shown, strict=False):
        for way, colour in colours.items():
            for number, row in enumerate(_of(rows, study="copies", optimiser=optimiser, way=way)):
                values = [row[part]["accuracy"] for part in ("validation", "others")]
                label = WAYS[way] if number == 0 else None
                panel.plot(
                    [0, 1], values, "o-", color=colour, linewidth=1.2, markersize=4, label=label
                )
        panel.set_xticks([0, 1], ["its own validation", "all other cells"])
        panel.set_xlim(-0.3, 1.3)
        panel.set_title(OPTIMISERS[optimiser])
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("accuracy")
    panels[0].legend(frameon=False, fontsize=8, loc="lower left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
