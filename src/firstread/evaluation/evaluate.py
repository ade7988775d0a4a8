"""A pack reads a labelled folder, and its answers become figures, as its samples' kind asks."""

from __future__ import annotations

from collections.abc import Callable

from firstread.datasets import Dataset
from firstread.evaluation.evaluation import Evaluation
from firstread.evaluation.kinds import KINDS
from firstread.evaluation.resample import DRAWS
from firstread.runtime import PackReader


def evaluate(
    reader: PackReader,
    dataset: Dataset,
    *,
    threads: int = 2,
    step: Callable[[], None] = lambda: None,
    draws: int = DRAWS,
) -> Evaluation:
    """Read every sample of `dataset` and compare; `step` is called after each.

    `draws` is from how many resamples intervals are read. Annotated recordings are compared beat
    by beat. Raises BadDataset where the folder has a label that the pack does not know, or holds
    another kind of sample than the pack reads. Samples that cannot be opened are listed, not
    raised.
    """
    kind = KINDS[dataset.kind]
    return kind.evaluate(reader, dataset, threads=threads, step=step, draws=draws)
