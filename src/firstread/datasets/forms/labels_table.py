"""`labels.csv`, or a workbook of that name, names each sample by its path, with its label
and, where known, its patient."""

from __future__ import annotations

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.endings import IMAGE_ENDINGS, LABELS_FILES
from firstread.datasets.labels_csv import LABELS, PATHS
from firstread.datasets.parts import PARTS, part_of
from firstread.datasets.place import Place, plain_path, zip_place
from firstread.datasets.table import Table, open_table, refuse_changed
from firstread.domain.errors import BadDataset

PATIENTS = ("patient", "patient_id", "patientid", "subject", "subject_id", "mrn")
_PARTS = ("part", "split", "set")


def fits(place: Place) -> bool:
    """Whether a `labels.csv` lies at the top, or the same as a workbook."""
    return labels_file(place) is not None


def open_labelled(place: Place) -> Dataset:
    """The samples that `labels.csv` names; they lie beside it, or in `images.zip`."""
    name = labels_file(place) or LABELS_FILES[0]
    table = open_table(place.read(name), name=name)
    items = items_of(table)
    samples = _samples(place, items)
    known = {plain_path(item.path) for item in items}
    beside = samples.ending(*IMAGE_ENDINGS) if samples is not place else []
    if samples is place:
        # Folders that no path of the table begins with hold something else.
        tops = {path.partition("/")[0] if "/" in path else "" for path in known}
        beside = [
            name
            for name in place.ending(*IMAGE_ENDINGS)
            if (name.partition("/")[0] if "/" in name else "") in tops
        ]
    return Dataset(
        place.name,
        "image",
        tuple(items),
        samples.read,
        unlabelled=tuple(name for name in beside if plain_path(name) not in known),
        told=table.told,
    )


def labels_file(place: Place) -> str | None:
    """The table of labels at the top; raises BadDataset where there are two."""
    found = [name for name in LABELS_FILES if name in place.names]
    if len(found) > 1:
        raise BadDataset(f"{place.name} has {found[0]} and {found[1]}. Leave one of them.")
    return found[0] if found else None


def items_of(table: Table) -> list[Item]:
    """The rows of a table as items, each path once.

    Raises BadDataset, with the line, where a path or label is missing, or two lines contradict
    each other.
    """
    path_in, label_in = table.column(*PATHS), table.column(*LABELS)
    if path_in is None or label_in is None:
        raise BadDataset(
            f"{table.name} has no column '{'label' if path_in else 'path'}'. Its first line must "
            "name the columns path and label, and patient where the patients are known."
        )
    patient_in, part_in = table.column(*PATIENTS), _part_column(table)
    table.refuse_odd(path_in, label_in, patient_in)
    refuse_changed(table, patient_in)
    taken = {path_in, label_in, patient_in, part_in, ""}
    found: dict[str, tuple[int, Item]] = {}
    for line, row in table:
        path, label = row[path_in], row[label_in]
        if not path or not label:
            raise BadDataset(
                f"{table.name}, line {line}, lacks a path or a label. Fill in both columns."
            )
        item = Item(
            path=path,
            label=label,
            patient=row[patient_in] if patient_in else "",
            part=part_of(row[part_in]) if part_in else "",
            columns=tuple((key, value) for key, value in row.items() if key not in taken),
        )
        earlier, other = found.setdefault(plain_path(path), (line, item))
        if (other.label, other.patient, other.part) != (label, item.patient, item.part):
            raise BadDataset(
                f"{table.name} says of '{path[:200]}' on line {line} something else than on line "
                f"{earlier}. Leave the right one."
            )
    return [item for _, item in found.values()]


def _part_column(table: Table) -> str | None:
    column = table.column(*_PARTS)
    if column is None or not all(row[column].casefold() in {*PARTS, ""} for _, row in table):
        return None
    return column


def _samples(place: Place, items: list[Item]) -> Place:
    zips = [name for name in place.ending(".zip") if "/" not in name]
    chosen = "images.zip" if "images.zip" in zips else zips[0] if len(zips) == 1 else None
    if chosen is None or not place.path.is_dir():
        return place
    if chosen != "images.zip" and items and items[0].path in place.names:
        return place
    return zip_place(place.path / chosen)
