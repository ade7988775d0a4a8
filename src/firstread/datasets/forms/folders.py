"""One folder of pictures per label, perhaps inside folders for the parts of the set."""

from __future__ import annotations

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.endings import IMAGE_ENDINGS
from firstread.datasets.parts import PARTS, part_of
from firstread.datasets.place import Place


def fits(place: Place) -> bool:
    """Whether pictures lie in folders."""
    return any("/" in name for name in place.ending(*IMAGE_ENDINGS))


def open_folders(place: Place) -> Dataset:
    """The pictures, each with the name of its top folder as its label."""
    labelled = labelled_by_folder(place.ending(*IMAGE_ENDINGS))
    flat = [name for name in place.ending(*IMAGE_ENDINGS) if name not in labelled]
    return Dataset(
        place.name,
        "image",
        tuple(labelled.values()),
        place.read,
        unlabelled=tuple(flat),
    )


def labelled_by_folder(names: list[str]) -> dict[str, Item]:
    """An item for each name that lies in a folder: its label, and its part in `train/LABEL/`.

    >>> item = labelled_by_folder(["train/blast/1.png", "test/blast/2.png"])["test/blast/2.png"]
    >>> item.label, item.part
    ('blast', 'test')
    """
    deep = [name.split("/") for name in names if "/" in name]
    in_parts = bool(deep) and all(len(steps) > 2 and steps[0].casefold() in PARTS for steps in deep)
    return {
        "/".join(steps): Item(
            path="/".join(steps),
            label=steps[1] if in_parts else steps[0],
            part=part_of(steps[0]) if in_parts else "",
        )
        for steps in deep
    }
