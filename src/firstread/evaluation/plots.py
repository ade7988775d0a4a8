"""Two pictures of how well a pack reads: which labels it confuses, and whether its chances hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def plot(
    truths: NDArray[np.int64],
    chances: NDArray[np.float64],
    *,
    labels: Sequence[str],
    title: str,
    path: Path,
) -> None:
    """Write the confusion matrix and the reliability diagram, side by side, to an SVG, PNG or PDF
    file.

    Raises OSError where the file cannot be written, ValueError where its ending is none of these.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from firstread.evaluation.metrics import confusion

    # The same figures give the same bytes: a pack that is made again has the same checksums.
    mpl.rcParams.update({"svg.hashsalt": "firstread", "font.size": 9, "axes.titlesize": 10})
    figure = Figure(figsize=(10.5, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    counts = confusion(truths, chances.argmax(1), count=len(labels))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    left.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            colour = "white" if shares[row, column] > 0.5 else "#1b2a3a"
            left.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour)
    left.set_xticks(range(len(labels)), labels, rotation=40, ha="right")
    left.set_yticks(range(len(labels)), labels)
    left.set_xlabel("read as")
    left.set_ylabel("truly")
    left.set_title(title)
    sure, true = _reliability(truths, chances)
    right.plot([0, 1], [0, 1], color="#9aa7b4", linewidth=1)
    right.plot(sure, true, "o-", color="#1f5fa8", markersize=4)
    right.set(xlim=(0, 1), ylim=(0, 1), xlabel="stated chance", ylabel="share that was right")
    right.set_title("Do the stated chances hold?")
    figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)


def _reliability(
    truths: NDArray[np.int64], chances: NDArray[np.float64], *, bins: int = 10
) -> tuple[list[float], list[float]]:
    """Mean chance and share right of the top label, in bins of equally many samples."""
    sure = chances.max(1)
    right = chances.argmax(1) == truths
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [float(sure[part].mean()) for part in parts], [
        float(right[part].mean()) for part in parts
    ]
