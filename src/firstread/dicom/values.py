"""Numbers in a DICOM dataset and in its functional groups, as people and programs write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def numbers_of(dataset: Any, keyword: str) -> list[float]:
    """The numbers of an element, also with decimal commas; none where it is not there.

    Raises ValueError where it holds something else.
    """
    if keyword not in dataset:
        return []
    raw = dataset.get_item(keyword)
    value = raw.value
    if isinstance(value, bytes):
        # Asked as it stands in the file: pydicom would refuse 40,5.
        return [float(each.replace(",", ".")) for each in _texts(value)]
    if value is None or value == "":
        return []
    many = not isinstance(value, str | float | int) and hasattr(value, "__iter__")
    return [float(str(each).replace(",", ".")) for each in (value if many else [value])]


def _texts(value: bytes) -> list[str]:
    text = value.decode("ascii").strip(" \0")
    return [each.strip() for each in text.split("\\")] if text else []


def groups_of(dataset: Any, *, frame: int) -> Iterator[Any]:
    """Where a frame's own meaning may stand: its functional groups, those of all, the dataset."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if frame < len(per_frame):
        yield per_frame[frame]
    yield from list(dataset.get("SharedFunctionalGroupsSequence") or [])[:1]


def of_frame(dataset: Any, sequence: str, keyword: str, *, frame: int) -> Any:
    """The dataset in which `keyword` stands for a frame: within `sequence` of its functional
    groups, or the file's own."""
    for group in groups_of(dataset, frame=frame):
        for item in group.get(sequence) or []:
            if keyword in item:
                return item
    return dataset
