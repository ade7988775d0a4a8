"""Rows of measurements under a pack's codes, whatever their table calls its columns."""

from __future__ import annotations

from dataclasses import replace

from firstread.datasets.dataset import Dataset
from firstread.domain.errors import BadDataset, BadMeasurement
from firstread.tables.columns import TakesMeasurements, columns_of


def measured_as(dataset: Dataset, takes: TakesMeasurements) -> Dataset:
    """The dataset with the columns that are taken, under their codes; `told` names the others.

    Raises BadDataset where a column is in another unit, or two are one measurement.

    >>> from types import SimpleNamespace as Any
    >>> from firstread.datasets import Item
    >>> row = Item(path="a", label="well", measurements=(("Haemoglobin", 140.0), ("weight", 70.0)))
    >>> takes = Any(measurements=[Any(code="hb", title="Haemoglobin", may_be_missing=False)])
    >>> found = measured_as(Dataset("set", "measurements", (row,), str.encode), takes)
    >>> found.items[0].measurements, found.told
    ((('hb', 140.0),), ('Left out of set, as no measurements that are asked for: weight.',))
    """
    names = [code for code, _ in dataset.items[0].measurements] if dataset.items else []
    try:
        columns, _ = columns_of(names, manifest=takes)
    except BadMeasurement as why:
        raise BadDataset(f"{dataset.name}: {why}") from why
    if not columns.codes or list(columns.codes.values()) == names:
        return dataset
    left_out = [name for at, name in enumerate(names) if at not in columns.codes]
    told = dataset.told
    if left_out:
        shown = ", ".join(left_out)[:200]
        told += (f"Left out of {dataset.name}, as no measurements that are asked for: {shown}.",)
    items = tuple(
        replace(
            item,
            measurements=tuple(
                (code, item.measurements[at][1]) for at, code in columns.codes.items()
            ),
        )
        for item in dataset.items
    )
    return replace(dataset, items=items, told=told)
