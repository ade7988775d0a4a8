"""DICOM files: their patients stand in their headers, their labels in folders or `labels.csv`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.endings import IMAGE_ENDINGS
from firstread.datasets.forms.folders import labelled_by_folder
from firstread.datasets.forms.labels_table import items_of, labels_file
from firstread.datasets.place import Place, plain_path
from firstread.datasets.table import open_table
from firstread.dicom.pixels import header_of, is_dicom, png_of
from firstread.domain.errors import BadDataset, UnreadableSample

_ENDINGS = (".dcm", ".dicom", ".ima")
_LOOKED_INTO = 8
_FRAME = "#"


def fits(place: Place) -> bool:
    """Whether there are files named as DICOM, or without an ending that begin as DICOM does."""
    if place.ending(*_ENDINGS):
        return True
    return any(_begins_so(place, name) for name in _bare(place)[:_LOOKED_INTO])


def open_dicom_folder(place: Place) -> Dataset:
    """The frames of all files as PNG, windowed as the files say; of several frames each is one.

    What `labels.csv` names beside them stays too, so that nothing it says is lost; pictures that
    nothing names have no label.
    """
    bare = [name for name in _bare(place) if _begins_so(place, name)]
    names = sorted([*place.ending(*_ENDINGS), *bare])
    labelled, told = _labelled(place, names)
    items: list[Item] = []
    for name in names:
        item = labelled.get(plain_path(name))
        if item is not None:
            items.extend(_frames(place, name, item))
    known = {plain_path(name) for name in names}
    items.extend(item for path, item in labelled.items() if path not in known)
    return Dataset(
        place.name,
        "image",
        tuple(items),
        _fetcher(place),
        unlabelled=tuple(
            name
            for name in (*names, *place.ending(*IMAGE_ENDINGS))
            if plain_path(name) not in labelled
        ),
        told=told,
    )


def _begins_so(place: Place, name: str) -> bool:
    try:
        return is_dicom(place.read(name))
    except BadDataset:  # a link that leads out, a pipe: no sample of this set
        return False


def _bare(place: Place) -> list[str]:
    """Names without an ending, as archives export them; a number after a dot is no ending."""
    return [
        name
        for name in place.names
        if PurePosixPath(name).name.upper() != "DICOMDIR"
        and PurePosixPath(name).suffix[1:].isdigit() | (not PurePosixPath(name).suffix)
    ]


def _labelled(place: Place, names: list[str]) -> tuple[dict[str, Item], tuple[str, ...]]:
    table = labels_file(place)
    if table is None:
        return {plain_path(name): item for name, item in labelled_by_folder(names).items()}, ()
    opened = open_table(place.read(table), name=table)
    return {plain_path(item.path): item for item in items_of(opened)}, opened.told


def _frames(place: Place, name: str, item: Item) -> list[Item]:
    try:
        header = header_of(place.read(name))
    except UnreadableSample:
        return [replace(item, path=name)]  # it stays, so that whoever reads it is told
    whole = replace(item, path=name, patient=item.patient or header.patient)
    if header.frames == 1:
        return [whole]
    return [replace(whole, path=f"{name}{_FRAME}{number}") for number in range(header.frames)]


def _fetcher(place: Place) -> Callable[[str], bytes]:
    known = frozenset(place.names)

    def fetch(path: str) -> bytes:
        name, _, number = path.rpartition(_FRAME)
        if path in known or not number.isdigit():
            name, number = path, "0"
        data = place.read(name)
        if name.lower().endswith(IMAGE_ENDINGS):
            return data
        try:
            return png_of(data, frame=int(number))
        except UnreadableSample as why:
            raise BadDataset(str(why)) from why

    return fetch
