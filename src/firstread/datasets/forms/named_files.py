"""Pictures that carry their label in their names: `CNV-137351-10.jpeg` with a patient, as Kermany
et al. (Cell 172:1122, 2018) gave theirs out, or `basophil__BA_10622.jpg` without one."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.endings import IMAGE_ENDINGS
from firstread.datasets.parts import part_of
from firstread.datasets.place import Place

_WITH_PATIENT = re.compile(r"([A-Za-z]+)-(\d+)-\d+")
_WITHOUT = re.compile(r"([A-Za-z][\w-]*?)__(.+)")


def is_named(name: str) -> bool:
    """Whether a picture is named in one of the two ways."""
    stem = PurePosixPath(name).stem
    return any(pattern.fullmatch(stem) for pattern in (_WITH_PATIENT, _WITHOUT))


def fits(place: Place) -> bool:
    """Whether all pictures are named in one of the two ways."""
    return _pattern(place) is not None


def open_named_files(place: Place) -> Dataset:
    """The pictures, each with the label and the patient of its name."""
    pattern = _pattern(place) or _WITHOUT
    items = []
    for name in place.ending(*IMAGE_ENDINGS):
        found = pattern.fullmatch(PurePosixPath(name).stem)
        if found is not None:
            patient = found[2] if pattern is _WITH_PATIENT else ""
            part = part_of(name.partition("/")[0])
            items.append(Item(path=name, label=found[1], patient=patient, part=part))
    return Dataset(place.name, "image", tuple(items), place.read)


def _pattern(place: Place) -> re.Pattern[str] | None:
    stems = [PurePosixPath(name).stem for name in place.ending(*IMAGE_ENDINGS)]
    for pattern in (_WITH_PATIENT, _WITHOUT):
        if stems and all(pattern.fullmatch(stem) for stem in stems):
            return pattern
    return None
