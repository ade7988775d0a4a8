"""A CSV of measurements: a row per sample, a column per measurement, one for the label."""

from __future__ import annotations

import math
from pathlib import PurePosixPath

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.endings import TABLE_ENDINGS
from firstread.datasets.forms.labels_table import PATIENTS
from firstread.datasets.labels_csv import PATHS
from firstread.datasets.place import Place
from firstread.datasets.table import Table, header_of, open_table, refuse_changed
from firstread.domain.errors import BadDataset, BadMeasurement
from firstread.tables.measurements import MISSING
from firstread.tables.numbers import Signs, number_of, signs_of

LABELS = ("class", "label", "diagnosis", "target")
_WHOSE = ("sample_id", *PATIENTS, "id")
# The forms that the UCI repository gives Wolberg's breast cytology in.
CLASS_CODES = {"2": "benign", "4": "malignant"}
_DIAGNOSES = {"B": "benign", "M": "malignant"}


def fits(place: Place) -> bool:
    """Whether a table at the top has a column for the label and none for a path."""
    return bool(_tables(place))


def open_measurements(place: Place) -> Dataset:
    """The rows, each with its measurements as numbers; a question mark is a missing one."""
    several = _tables(place)
    if len(several) > 1:
        raise BadDataset(
            f"{place.name} holds {len(several)} tables with labels, such as '{several[0]}' and "
            f"'{several[1]}'. Name the one that should be opened."
        )
    name = next(iter(several), "measurements.csv")
    table = open_table(place.read(name), name=name)
    label_in, whose_in = table.column(*LABELS), table.column(*_WHOSE)
    table.refuse_odd(*table.columns)
    if label_in is None:
        raise BadDataset(
            f"{name} has no column for the label. Name it in its first line: class, label or "
            "diagnosis."
        )
    codes = [column for column in table.columns if column not in {label_in, whose_in, ""}]
    words = _words(table, label_in)
    signs = signs_of((row[code] for _, row in table for code in codes), separator=table.separator)
    refuse_changed(table, whose_in)
    items = []
    for line, row in table:
        label = row[label_in]
        if not label:
            raise BadDataset(f"{name}, line {line}, has no {label_in}. Fill it in.")
        items.append(
            Item(
                path=f"{name}:{line}",
                label=words.get(label, label),
                patient=row[whose_in] if whose_in else "",
                measurements=tuple(
                    (code, _number(row[code], code, table=table, line=line, signs=signs))
                    for code in codes
                ),
            )
        )
    if not codes:
        raise BadDataset(f"{name} has no column but the label. Add the measurements.")
    return Dataset(place.name, "measurements", tuple(items), place.read, told=table.told)


def _tables(place: Place) -> list[str]:
    """The tables at the top that have a label; where one is called `measurements`, it alone."""
    top = [name for name in place.ending(*TABLE_ENDINGS) if "/" not in name]
    own = [name for name in top if PurePosixPath(name).stem == "measurements"]
    if own:
        return own
    headers = {name: set(header_of(place.read(name))) for name in top}
    return [
        name for name, header in headers.items() if header & set(LABELS) and not header & set(PATHS)
    ]


def _words(table: Table, label_in: str) -> dict[str, str]:
    """What the codes of known sets stand for, where no other code occurs beside them."""
    found = {row[label_in] for _, row in table} - {""}
    for codes in (CLASS_CODES, _DIAGNOSES):
        if found and found <= set(codes):
            return codes
    return {}


def _number(text: str, code: str, *, table: Table, line: int, signs: Signs) -> float | None:
    if text.casefold() in MISSING:
        return None
    try:
        value = number_of(text, signs=signs)
    except BadMeasurement as why:
        raise BadDataset(f"{table.name}, line {line}, {code}: {why}") from None
    if not math.isfinite(value):
        raise BadDataset(
            f"{table.name}, line {line}: '{text[:60]}' is not a number for {code}. Correct it, or "
            "put ? where it is missing."
        )
    return value
