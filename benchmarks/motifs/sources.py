"""Whose pictures the pack `motifs` learns from, and which are kept for the table of pairs.

Of a pack's own set it learns from what that pack learnt from, and is measured on the test part of
that pack, which neither of them has seen.
"""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firstread.datasets import named, open_dataset, split
from firstread.train.recipe import find_recipe, open_recipe

PACKS = {
    "blood-cell": "blood-cell",
    "marrow-cell": "marrow-cell",
    "red-cell": "malaria-cell",
    "head-mri": "brain-mri",
    "chest-xray": "chest-xray",
    "tissue": "breast-histology",
    "fundus": "fundus",
}
"""The pack that reads the pictures of each motif."""
_PARTS = 8
_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, kw_only=True)
class Given:
    """One picture as it came: which motif it shows, of which set, and in which part it stands."""

    motif: str
    source: str
    name: str
    part: str
    data: bytes
    patient: str = ""
    label: str = ""
    white_cells: tuple[tuple[int, int, int, int], ...] = ()
    """Of a field: left, top, right and bottom of each."""


def pictures(data: Path, *, everyday: Path | None = None) -> Iterator[Given]:
    """Every picture of every set below `data`, one at a time; `everyday` holds pictures of
    anything else."""
    learnt: set[str] = set()
    for motif, pack in PACKS.items():
        for each in _of_a_pack(data, motif, find_recipe(pack)):
            if motif == "tissue" and each.part != "test":
                learnt.add(each.patient)
            yield each
    for row, picture in _listed(data / "breast-histology-more"):
        part = _part(row["patient"]) if row["patient"] in learnt else "test"
        yield Given(
            motif="tissue", source="breast-histology-more", name=row["path"], part=part,
            data=picture, patient=row["patient"],
        )  # fmt: skip
    for row, picture in _listed(data / "fundus"):
        yield Given(
            motif="fundus", source="fundus", name=row["path"],
            part=_part(row["path"]), data=picture,
        )  # fmt: skip
    yield from _boxed(data / "smear-field", motif="field")
    yield from _boxed(data / "smear-field-more", motif="blood-cell")
    yield from _loose(data / "blood-cell" / "originals", motif="blood-cell")
    yield from _loose(data / "marrow-cell" / "originals", motif="marrow-cell")
    yield from _loose(data / "malaria" / "colour", motif="red-cell")
    yield from _loose(data / "retina-oct" / "samples", motif="other")
    if everyday is not None:
        yield from _loose(everyday, motif="other")


def _part(name: str) -> str:
    """Where a patient, or a picture, of a set stands on which no pack was trained."""
    drawn = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % _PARTS
    return {0: "test", 1: "test", 2: "validation"}.get(drawn, "train")


def _of_a_pack(data: Path, motif: str, recipe_file: Path) -> Iterator[Given]:
    recipe = open_recipe(recipe_file)
    source = recipe.sources[0]
    dataset = named(open_dataset(data / source.name), source.labels)
    shares = recipe.shares
    parts = split(dataset, validation=shares.validation, test=shares.test, seed=recipe.seed)
    for part in ("train", "validation", "test"):
        for index in getattr(parts, part):
            item = dataset.items[index]
            yield Given(
                motif=motif, source=source.name, name=item.path, part=part,
                data=dataset.data(item), patient=item.patient, label=item.label,
            )  # fmt: skip


def _listed(folder: Path) -> Iterator[tuple[dict[str, str], bytes]]:
    """The rows of a set's labels.csv, each with its picture."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with zipfile.ZipFile(folder / "images.zip") as packed:
        for row in rows:
            yield row, packed.read(row["path"])


def _boxed(folder: Path, *, motif: str) -> Iterator[Given]:
    """Fields with the boxes of their white cells."""
    boxes: dict[str, list[tuple[int, int, int, int]]] = {}
    with (folder / "boxes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found = boxes.setdefault(row["path"], [])
            if row["label"] == "WBC":
                left, top, right, bottom = (
                    round(float(row[key])) for key in ("xmin", "ymin", "xmax", "ymax")
                )
                found.append((left, top, right, bottom))
    with zipfile.ZipFile(folder / "images.zip") as packed:
        for name, found in sorted(boxes.items()):
            yield Given(
                motif=motif, source=folder.name, name=name, part=_part(name),
                data=packed.read(name), white_cells=tuple(found),
            )  # fmt: skip


def _loose(folder: Path, *, motif: str) -> Iterator[Given]:
    source = "/".join(folder.parts[-2:]) if motif != "other" else folder.parts[-1]
    for file in sorted(each for each in folder.rglob("*") if each.suffix.lower() in _PICTURES):
        name = file.relative_to(folder).as_posix()
        # Scans of one eye, and sizes of one picture, have the beginning of their name in common.
        whose = name.rpartition("-")[0] or name.partition("/")[0]
        yield Given(
            motif=motif, source=source, name=name, part=_part(whose), data=file.read_bytes(),
            patient=whose,
        )  # fmt: skip
