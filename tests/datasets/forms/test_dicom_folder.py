"""Folders of DICOM files: labels from folders or a table, patients from the files."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.datasets import open_dataset
from firstread.datasets.pictures.looks import look_at
from firstread.domain.errors import BadDataset
from tests.dicom.test_pixels import RAMP, dicom


def write(folder, files: dict[str, bytes]):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return open_dataset(folder)


def test_labels_come_from_folders_and_patients_from_the_files(tmp_path):
    files = {
        "ill/series/1.dcm": dicom(RAMP),
        "well/2.DCM": dicom(RAMP, PatientID="P8"),
        "well/IM000003": dicom(RAMP, PatientID=""),
    }
    dataset = write(tmp_path, files)
    assert [(item.path, item.label, item.patient) for item in dataset.items] == [
        ("ill/series/1.dcm", "ill", "P7"),
        ("well/2.DCM", "well", "P8"),
        ("well/IM000003", "well", ""),
    ]
    assert dataset.data(dataset.items[0]).startswith(b"\x89PNG")


def test_a_table_names_labels_and_each_frame_is_a_sample(tmp_path):
    frames = np.stack([RAMP, RAMP[::-1]])
    table = b"path,label,patient\na.dcm,ill,\nb.dcm,well,own\n"
    files = {
        "labels.csv": table,
        "a.dcm": dicom(frames),
        "b.dcm": dicom(RAMP),
        "c.dcm": dicom(RAMP),
    }
    dataset = write(tmp_path, files)
    assert [(item.path, item.label, item.patient) for item in dataset.items] == [
        ("a.dcm#0", "ill", "P7"),
        ("a.dcm#1", "ill", "P7"),
        ("b.dcm", "well", "own"),
    ]
    assert dataset.data(dataset.items[0]) != dataset.data(dataset.items[1])
    assert dataset.unlabelled == ("c.dcm",)


def test_what_a_table_names_beside_dicom_files_is_not_lost(tmp_path):
    table = b"path,label\na.dcm,ill\nb.png,well\ngone.dcm,well\n"
    files = {"labels.csv": table, "a.dcm": dicom(RAMP), "b.png": b"a picture", "c.png": b"x"}
    dataset = write(tmp_path, files)
    assert [item.path for item in dataset.items] == ["a.dcm", "b.png", "gone.dcm"]
    assert dataset.data(dataset.items[1]) == b"a picture"
    with pytest.raises(BadDataset, match=r"'gone\.dcm' is not in the folder"):
        dataset.data(dataset.items[2])
    assert dataset.unlabelled == ("c.png",)


def test_a_link_without_an_ending_that_leads_out_is_no_sample(tmp_path):
    (tmp_path / "README").symlink_to("/etc/hostname")
    dataset = write(tmp_path, {"ill/1.png": b"x", "well/1.png": b"x"})
    assert dataset.labels == ("ill", "well")


def test_a_damaged_file_stays_and_is_told_when_it_is_read(tmp_path):
    dataset = write(tmp_path, {"ill/1.dcm": b"no DICOM at all", "well/2.dcm": dicom(RAMP)})
    with pytest.raises(BadDataset, match="This is not a DICOM file"):
        dataset.data(dataset.items[0])
    assert look_at(dataset).errors.keys() == {0}
