"""A folder on disk becomes a dataset, in whichever of the three forms it has."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from firstread.datasets.dataset import Dataset, Item
from firstread.domain.errors import BadDataset

FORMS = (
    "images.zip with labels.csv (path,label,patient), measurements.csv, "
    "or one folder of images per label"
)
IMAGE_ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif"}
# The form that the UCI repository gives Wolberg's breast cytology in.
CLASS_CODES = {"2": "benign", "4": "malignant"}


def open_dataset(folder: Path) -> Dataset:
    """The labelled samples of a folder; images are read later, one at a time.

    Raises BadDataset, with the form it should have, where the folder has none of the three.
    """
    if not folder.is_dir():
        raise BadDataset(f"There is no folder at {folder}. Name a folder that holds {FORMS}.")
    if (folder / "labels.csv").is_file():
        return _with_labels(folder)
    if (folder / "measurements.csv").is_file():
        return _with_measurements(folder)
    return _with_folders(folder)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            for number, row in enumerate(csv.DictReader(lines), start=2):
                yield number, {key: (value or "").strip() for key, value in row.items() if key}
    except (UnicodeDecodeError, csv.Error) as why:
        raise BadDataset(
            f"{path.name} is not a CSV file in UTF-8: {why}. Export it again as CSV."
        ) from why


def _with_labels(folder: Path) -> Dataset:
    items = []
    for number, row in _rows(folder / "labels.csv"):
        if not row.get("path") or not row.get("label"):
            raise BadDataset(
                f"labels.csv, line {number}, lacks a path or a label. Fill in both columns."
            )
        items.append(Item(path=row["path"], label=row["label"], patient=row.get("patient", "")))
    archive = folder / "images.zip"
    return _made(folder, "image", items, _from_zip(archive) if archive.is_file() else _from(folder))


def _from(folder: Path) -> Callable[[str], bytes]:
    root = folder.resolve()

    def fetch(path: str) -> bytes:
        place = (root / path).resolve()
        if not place.is_relative_to(root):
            raise BadDataset(f"The path '{path}' leads out of the folder. Correct labels.csv.")
        try:
            return place.read_bytes()
        except OSError as why:
            raise BadDataset(
                f"The sample '{path}' is not in the folder. Put it there, or correct labels.csv."
            ) from why

    return fetch


def _from_zip(archive: Path) -> Callable[[str], bytes]:
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError) as why:
        raise BadDataset(
            f"{archive.name} is not a zip file that can be opened. Copy it again."
        ) from why

    def fetch(path: str) -> bytes:
        try:
            return opened.read(path)
        except KeyError as why:
            raise BadDataset(
                f"The sample '{path}' of labels.csv is not in {archive.name}. Pack it again."
            ) from why
        except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError) as why:
            # RuntimeError: encrypted, or packed in a way that Python does not unpack.
            raise BadDataset(
                f"The sample '{path}' in {archive.name} is damaged. Pack the archive again."
            ) from why

    return fetch


def _with_measurements(folder: Path) -> Dataset:
    items = []
    for number, row in _rows(folder / "measurements.csv"):
        label = row.pop("class", "") or row.pop("label", "")
        if not label:
            raise BadDataset(
                f"measurements.csv, line {number}, has no class. It needs that column."
            )
        patient = row.pop("sample_id", "") or row.pop("patient", "")
        values: list[tuple[str, float | None]] = []
        for code, text in row.items():
            try:
                values.append((code, None if text in ("", "?") else float(text)))
            except ValueError as why:
                raise BadDataset(
                    f"measurements.csv, line {number}: '{text}' is not a number for {code}."
                ) from why
        items.append(
            Item(
                path=f"measurements.csv:{number}",
                label=CLASS_CODES.get(label, label),
                patient=patient,
                measurements=tuple(values),
            )
        )
    return _made(folder, "measurements", items, _from(folder))


def _with_folders(folder: Path) -> Dataset:
    items: list[Item] = []
    inner = [one for one in sorted(folder.iterdir()) if one.is_dir() and one.name[0] not in "._"]
    for one in inner:
        if (one / "labels.csv").is_file() or (one / "measurements.csv").is_file():
            raise BadDataset(f"The samples lie one folder deeper: name {folder.name}/{one.name}.")
        items.extend(
            Item(path=path.relative_to(folder).as_posix(), label=one.name)
            for path in sorted(one.rglob("*"))
            if path.is_file() and path.suffix.lower() in IMAGE_ENDINGS
        )
    return _made(folder, "image", items, _from(folder))


def _made(folder: Path, kind: str, items: list[Item], fetch: Callable[[str], bytes]) -> Dataset:
    if not items:
        raise BadDataset(
            f"The folder {folder.name} holds no labelled samples. It should hold {FORMS}."
        )
    return Dataset(folder.resolve().name, kind, tuple(items), fetch)
