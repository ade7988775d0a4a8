"""The forms that labelled samples come in: a table, of which the first that fits opens them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firstread.datasets.dataset import Dataset
from firstread.datasets.endings import IMAGE_ENDINGS
from firstread.datasets.forms import (
    allidb,
    boxes,
    cnmc,
    dicom_folder,
    folders,
    labels_table,
    measurements,
    medmnist,
    named_files,
    records,
    written,
)
from firstread.datasets.place import Place, place_of
from firstread.domain.errors import BadDataset


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form: `needs` says what a folder must hold to be of it."""

    needs: str
    fits: Callable[[Place], bool]
    open: Callable[[Place], Dataset]


FORMS = (
    Form(needs="", fits=written.fits, open=written.open_written),
    Form(needs="", fits=boxes.fits, open=boxes.open_boxes),
    Form(
        needs="DICOM files in one folder per label, or beside a labels.csv",
        fits=dicom_folder.fits,
        open=dicom_folder.open_dicom_folder,
    ),
    Form(
        needs="annotated WFDB records (.hea, .dat, .atr), or a .tar.xz of them",
        fits=records.fits,
        open=records.open_records,
    ),
    Form(
        needs="labels.csv (path,label and, where known, patient), with images.zip or the pictures",
        fits=labels_table.fits,
        open=labels_table.open_labelled,
    ),
    Form(
        needs="one .npz of MedMNIST (train_images, train_labels and so on)",
        fits=medmnist.fits,
        open=medmnist.open_medmnist,
    ),
    Form(
        needs="pictures named as in C-NMC 2019 (UID_11_1_1_all.bmp)",
        fits=cnmc.fits,
        open=cnmc.open_cnmc,
    ),
    Form(
        needs="a CSV of measurements with a column class, label or diagnosis",
        fits=measurements.fits,
        open=measurements.open_measurements,
    ),
    Form(
        needs="pictures named as in ALL-IDB (Im006_1.jpg)",
        fits=allidb.fits,
        open=allidb.open_allidb,
    ),
    Form(
        needs="pictures named by label and patient (CNV-137351-10.jpeg) or label (ig__1.jpg)",
        fits=named_files.fits,
        open=named_files.open_named_files,
    ),
    Form(
        needs="one folder of pictures per label",
        fits=folders.fits,
        open=folders.open_folders,
    ),
)
"""In the order in which they are tried; a form without `needs` is none that people make by hand."""


def open_dataset(path: Path) -> Dataset:
    """The labelled samples of a folder, a zip, a .npz or a .csv; samples are read later, one at a
    time.

    Raises BadDataset, with the forms there are, where `path` has none of them.
    """
    place = place_of(path)
    form = next((form for form in FORMS if form.fits(place)), None)
    if form is None or form is FORMS[-1]:
        _refuse_deeper(place)
        _refuse_strays(place)
    if form is None:
        raise BadDataset(f"{place.name} holds no labelled samples. It should hold {_needed()}.")
    dataset = form.open(place)
    if not dataset.items:
        raise BadDataset(
            f"{place.name} holds no labelled samples. It should hold {form.needs}, and they have "
            "to be there."
        )
    return dataset


def _refuse_deeper(place: Place) -> None:
    for name in place.names:
        folder, _, file = name.rpartition("/")
        if folder and file in ("labels.csv", "measurements.csv"):
            raise BadDataset(f"The samples lie deeper: name {place.name}/{folder}.")


def _refuse_strays(place: Place) -> None:
    """Raises BadDataset where names tell most labels, and a few pictures are named otherwise."""
    pictures = place.ending(*IMAGE_ENDINGS)
    ways = {"as in C-NMC 2019": cnmc.is_named, "as in ALL-IDB": allidb.is_named}
    if not any("/" in name for name in pictures):
        ways["by label and patient, or by label"] = named_files.is_named
    for way, is_named in ways.items():
        strays = [name for name in pictures if not is_named(name)]
        if 0 < 2 * len(strays) < len(pictures):
            raise BadDataset(
                f"Most pictures of {place.name} are named {way}, and {len(strays)} otherwise: the "
                f"first is '{strays[0][:200]}'. Take those out, or add a labels.csv."
            )


def _needed() -> str:
    *others, last = [form.needs for form in FORMS if form.needs]
    return f"{'; '.join(others)}; or {last}"
