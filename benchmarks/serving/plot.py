"""The picture of the report: reads a second of each server, and the limit above them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.serving.results import LIMIT, OURS, Plain, contenders, middle
from benchmarks.serving.rows import Row

OUR_COLOUR, PEER_COLOUR, LIMIT_COLOUR = "#1f5fa8", "#b9c6d3", "#1b2a3a"


def draw(rows: Sequence[tuple[Row, Sequence[Plain]]], path: Path) -> None:
    """One panel a row, one bar a server; the dashed line is the limit. SVG, the same figures give
    the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from benchmarks.serving.report import title

    mpl.rcParams.update({"svg.hashsalt": "firstread", "font.size": 9, "axes.titlesize": 10})
    figure = Figure(figsize=(10.5, 3.2), layout="constrained")
    panels = figure.subplots(1, len(rows), squeeze=False)[0]
    for panel, (row, blocks) in zip(panels, rows, strict=True):
        names = [name for name in contenders(blocks) if name != LIMIT]
        names.sort(key=lambda name: middle(blocks, name, "reads_per_s") or 0)
        reads = [middle(blocks, name, "reads_per_s") or 0 for name in names]
        colours = [OUR_COLOUR if name == OURS else PEER_COLOUR for name in names]
        panel.barh([title(name) for name in names], reads, color=colours, height=0.7)
        limit = middle(blocks, LIMIT, "reads_per_s")
        if limit is not None:
            panel.axvline(limit, color=LIMIT_COLOUR, linestyle="--", linewidth=1)
            panel.set_xlim(0, limit * 1.12)
        for place, value in enumerate(reads):
            panel.text(value, place, f" {value:.0f}", va="center", color=LIMIT_COLOUR)
        panel.set_xlabel("reads a second; dashed: the in-process limit")
        panel.set_title(_heading(row))
        panel.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def _heading(row: Row) -> str:
    return {
        "small": "A JPEG of 257x257, 16 KB",
        "large": "A JPEG of 2592x1944, 1.1 MB",
    }[row.picture]
