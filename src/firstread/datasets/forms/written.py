"""A folder that Firstread wrote itself (`datasets/write.py`): the same set is opened again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from firstread.datasets.dataset import Dataset, Item, Origin
from firstread.datasets.parts import part_of
from firstread.datasets.place import Place
from firstread.domain.errors import BadDataset

ABOUT_FILE, LABELS_FILE, SAMPLES_FILE = "dataset.json", "labels.csv", "samples.jsonl"
COLUMNS = ("path", "label", "patient", "split")
"""Of the first table; measurements follow them."""
FORMAT = 1
MAX_CELL = 1000
_ACTIVE = ("=", "+", "-", "@", "'", "\t", "\r", "\n")
"""What a spreadsheet would take for the beginning of a formula, and the mark against it."""


def escaped(cell: str) -> str:
    """The cell so that no spreadsheet runs it.

    >>> escaped("=1+1"), escaped("well")
    ("'=1+1", 'well')
    """
    return f"'{cell}" if cell.startswith(_ACTIVE) else cell


def plain(cell: str) -> str:
    """The cell as it was before it was escaped."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_ACTIVE) else cell


def sha256_of(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def fits(place: Place) -> bool:
    """Whether the three files lie at the top."""
    return {ABOUT_FILE, LABELS_FILE, SAMPLES_FILE} <= set(place.names)


def open_written(place: Place) -> Dataset:
    """The set as it was written; a sample whose bytes are no longer those is refused when read."""
    tables = {name: place.read(name) for name in (LABELS_FILE, SAMPLES_FILE)}
    try:
        about = json.loads(place.read(ABOUT_FILE))
        _refuse_other_format(about, name=place.name)
        changed = [name for name, data in tables.items() if sha256_of(data) != about[name]]
        kind, remark = str(about["kind"]), str(about["remark"])
    except (ValueError, KeyError, TypeError, RecursionError) as why:
        raise BadDataset(
            f"{ABOUT_FILE} of {place.name} is damaged or cut short. Copy the folder again."
        ) from why
    if changed:
        raise BadDataset(
            f"{changed[0]} of {place.name} is not as it was written. Copy the folder again; or, "
            f"where you changed it on purpose, take {ABOUT_FILE} out, so that {LABELS_FILE} alone "
            "counts."
        )
    try:
        told = [json.loads(line) for line in tables[SAMPLES_FILE].splitlines()]
        head, *rows = _rows(tables[LABELS_FILE])
        codes = head[len(COLUMNS) :]
        items = tuple(_item(row, one, codes=codes) for row, one in zip(rows, told, strict=True))
        hashes = dict(_hashes(told))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as why:
        raise BadDataset(
            f"The tables of {place.name} were not written by Firstread. Take {ABOUT_FILE} out, so "
            f"that {LABELS_FILE} alone counts."
        ) from why
    return Dataset(place.name, kind, items, _fetcher(place, hashes), remark=remark)


def _refuse_other_format(about: Mapping[str, Any], *, name: str) -> None:
    if about["format"] != FORMAT:
        raise BadDataset(
            f"{name} was written by {str(about['written_by'])[:60]}, whose folders this Firstread "
            "does not open. Install that one."
        )


def _rows(data: bytes) -> list[list[str]]:
    text = io.StringIO(data.decode("utf-8"), newline="")
    return [[plain(cell) for cell in row] for row in csv.reader(text, strict=True)]


def _item(row: list[str], told: Mapping[str, Any], *, codes: list[str]) -> Item:
    path, label, patient, part, *values = row
    measured = tuple(
        (code, float(value) if value else None) for code, value in zip(codes, values, strict=True)
    )
    beside = {what: each["path"] for what, each in told.get("beside", {}).items()}
    return Item(
        path=path,
        label=label,
        patient=patient,
        part=part_of(part),
        measurements=measured,
        columns=tuple({**told.get("columns", {}), **beside}.items()),
        places=tuple((float(x), float(y)) for x, y in told.get("places", ())),
        origin=Origin(
            source=told["source"], licence=told["licence"], at=told["at"],
            sha256=told["source_sha256"],
        ),
    )  # fmt: skip


def _hashes(told: list[dict[str, Any]]) -> Any:
    for one in told:
        yield one["path"], one["sha256"]
        for each in one.get("beside", {}).values():
            yield each["path"], each["sha256"]


def _fetcher(place: Place, hashes: Mapping[str, str]) -> Callable[[str], bytes]:
    def fetch(path: str) -> bytes:
        data = place.read(path)
        if sha256_of(data) != hashes.get(path):
            raise BadDataset(
                f"The sample '{path[:200]}' of {place.name} is not the one that was written. Copy "
                "the folder again, or take the sample out of a new one."
            )
        return data

    return fetch
