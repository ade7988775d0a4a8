"""Folders of DICOM files: labels from folders or a table, patients from the files."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.datasets import open_dataset
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


def test_a_damaged_file_stays_and_is_told_when_it_is_read(tmp_path):
    dataset = write(tmp_path, {"ill/1.dcm": b"no DICOM at all", "well/2.dcm": dicom(RAMP)})
    with pytest.raises(BadDataset, match=r"ill/1\.dcm: This is not a DICOM file"):
        dataset.data(dataset.items[0])
    assert dataset.looks.errors.keys() == {0}
