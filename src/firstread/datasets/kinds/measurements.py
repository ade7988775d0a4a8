"""Rows of measurements stand in the table itself, and tell themselves apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.dataset import Dataset
from firstread.datasets.kinds import KindOfSamples, Seen
from firstread.datasets.sample import Sample
from firstread.domain.errors import BadDataset

Rows = NDArray[np.float64]


def _look(dataset: Dataset, *, step: Callable[[], None] = lambda: None) -> Seen:
    for _ in dataset.items:  # they were read with their table
        step()
    return Seen()


def _describe(dataset: Dataset, seen: Seen) -> Rows:  # noqa: ARG001  as every kind
    codes: Sequence[str] = sorted({code for item in dataset.items for code, _ in item.measurements})
    table = [dict(item.measurements) for item in dataset.items]
    values = np.array(
        [[np.nan if (one := row.get(code)) is None else one for code in codes] for row in table]
    )
    missing = np.isnan(values)
    largest = np.abs(np.where(missing, 0.0, values)).max(0)
    values = values / np.where(largest > 0, largest, 1.0)  # so that no sum of them overflows
    middles = np.array(
        [np.median(c[~np.isnan(c)]) if not np.isnan(c).all() else 0 for c in values.T]
    )
    return np.concatenate([np.where(missing, middles, values), missing], axis=1)


def _stored(sample: Sample) -> None:
    """A row has no file."""
    if not sample.measurements or sample.data or sample.annotations:
        raise BadDataset(
            f"The sample {sample.name[:200]!r} is no row: it needs measurements, and no bytes."
        )
    for code, value in sample.measurements.items():
        if value is not None and not math.isfinite(value):
            raise BadDataset(
                f"{code[:60]} of the sample {sample.name[:200]!r} is {value}. Give a number, or "
                "None where it is missing."
            )


KIND = KindOfSamples(
    look=_look,
    stored=_stored,
    equal_bytes_are_one=False,  # equal rows are two people with equal cells
    describe=_describe,
    told_apart_by="their measurements",
)
