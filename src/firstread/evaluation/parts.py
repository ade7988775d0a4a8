"""The same figures among those samples that are left when the doubtful are set aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.evaluation.answers import Answers
from firstread.evaluation.metrics import Share, share_of

FEW = 30
"""Below this many samples a share is hardly more than an anecdote."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How right the pack is among the samples that are left when the doubtful are set aside."""

    without: str
    n: int
    kept: float
    """The share of all samples that is left."""
    accuracy: Share


def set_aside(answers: Answers) -> tuple[Kept, ...]:
    """Accuracy of all, and without the unfit, the unfamiliar, the ambiguous, and all of these.

    Ambiguous is what has more than one label in its finding set.
    """
    ambiguous = answers.sets.sum(1) > 1
    doubts = {
        "": np.zeros(len(answers.truths), bool),
        "unfit": answers.unfit,
        "unfamiliar": answers.unfamiliar,
        "ambiguous": ambiguous,
        "unfit, unfamiliar or ambiguous": answers.unfit | answers.unfamiliar | ambiguous,
    }
    right = answers.given == answers.truths
    return tuple(
        Kept(
            without=name,
            n=int((~doubt).sum()),
            kept=float((~doubt).mean()),
            accuracy=among(right, ~doubt, answers),
        )
        for name, doubt in doubts.items()
    )


def risk_coverage(answers: Answers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share kept and the share wrong among the kept, the least sure set aside first: [N] each.

    Geifman and El-Yaniv, NeurIPS 2017. Equally sure answers are set aside together.
    """
    sure = answers.chances.max(1)
    wrong = (answers.given != answers.truths).astype(float)
    order = np.argsort(-sure, kind="stable")
    last = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))
    count = last + 1
    return count / len(sure), np.cumsum(wrong[order])[last] / count


def among(hits: NDArray[np.bool_], kept: NDArray[np.bool_], answers: Answers) -> Share:
    """The share of hits [N] among the answers that are `kept` [N], with its interval."""
    clusters = answers.clusters
    return share_of(hits[kept], clusters=None if clusters is None else clusters[kept])
