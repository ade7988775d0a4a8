"""ALL-IDB1 and ALL-IDB2 (Labati, Piuri and Scotti, ICIP 2011): `Im006_1.jpg` shows leukaemia,
`Im007_0.jpg` does not; in ALL-IDB1 a file `.xyc` marks the blasts."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.endings import IMAGE_ENDINGS
from firstread.datasets.place import Place
from firstread.domain.errors import BadDataset

_NAME = re.compile(r"im(\d{1,4})_([01])", re.IGNORECASE)
LABELS = {"1": "leukaemia", "0": "healthy"}
REMARK = (
    "ALL-IDB names no patients: its picture number stands for one here, so pictures of one person "
    "may still stand on both sides of a split."
)


def is_named(name: str) -> bool:
    """Whether a picture is named as in ALL-IDB."""
    return _NAME.fullmatch(PurePosixPath(name).stem) is not None


def fits(place: Place) -> bool:
    """Whether all pictures are named as in ALL-IDB."""
    names = place.ending(*IMAGE_ENDINGS)
    return bool(names) and all(is_named(name) for name in names)


def open_allidb(place: Place) -> Dataset:
    """The pictures, each with its number as its patient and the centres of its blasts."""
    marks = {PurePosixPath(name).stem.casefold(): name for name in place.ending(".xyc")}
    items = []
    for name in place.ending(*IMAGE_ENDINGS):
        stem = PurePosixPath(name).stem
        found = _NAME.fullmatch(stem)
        if found is None:
            continue
        mark = marks.get(stem.casefold())
        places = _centres(place.read(mark), name=mark) if mark else ()
        items.append(
            Item(path=name, label=LABELS[found[2]], patient=f"Im{found[1]}", places=places)
        )
    return Dataset(place.name, "image", tuple(items), place.read, remark=REMARK)


def _centres(data: bytes, *, name: str) -> tuple[tuple[float, float], ...]:
    """The points of an `.xyc` file: a line with x and y, in pixels, for each blast."""
    points = []
    lines = data.decode("ascii", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        try:
            x, y = (float(word) for word in words)
        except ValueError as why:
            raise BadDataset(
                f"{name}, line {number}, is not the x and y of a cell: '{line[:60]}'. Copy the "
                "file again."
            ) from why
        points.append((x, y))
    return tuple(points)
