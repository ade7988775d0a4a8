"""C-NMC 2019 (Gupta et al., Cancer Imaging Archive, doi 10.7937/tcia.2019.dc64i46r):
`UID_11_1_1_all.bmp` is a blast of patient 11, `UID_H10_1_1_hem.bmp` a healthy cell of donor H10."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.endings import IMAGE_ENDINGS
from firstread.datasets.place import Place
from firstread.datasets.table import header_of, open_table

_NAME = re.compile(r"UID_(H?\d+)_\d+_\d+_(all|hem)", re.IGNORECASE)
_COLUMNS = {"patient_id", "new_names", "labels"}
LABELS = {"all": "leukaemia", "hem": "healthy"}


def is_named(name: str) -> bool:
    """Whether a picture is named as in C-NMC 2019."""
    return _NAME.fullmatch(PurePosixPath(name).stem) is not None


def fits(place: Place) -> bool:
    """Whether all pictures are named as in C-NMC, or its table of the preliminary test is there."""
    names = place.ending(*IMAGE_ENDINGS)
    told = _told(place)
    return bool(names) and (bool(told) or all(is_named(name) for name in names))


def open_cnmc(place: Place) -> Dataset:
    """The cells, each with its patient; cells that neither name nor table tells are unlabelled."""
    told = _told(place)
    items, unlabelled = [], []
    for name in place.ending(*IMAGE_ENDINGS):
        found = _NAME.fullmatch(told.get(PurePosixPath(name).name, PurePosixPath(name).stem))
        if found is None:
            unlabelled.append(name)
        else:
            label = LABELS[found[2].lower()]
            items.append(Item(path=name, label=label, patient=found[1].upper()))
    return Dataset(place.name, "image", tuple(items), place.read, unlabelled=tuple(unlabelled))


def _told(place: Place) -> dict[str, str]:
    """The full name of each cell of the preliminary test, whose files are only numbered."""
    told = {}
    for name in place.ending(".csv"):
        data = place.read(name)
        if not set(header_of(data)) >= _COLUMNS:
            continue
        table = open_table(data, name=name)
        new, old = table.column("new_names"), table.column("patient_id")
        for _, row in table:
            told[row[new or ""]] = PurePosixPath(row[old or ""]).stem
    return told
