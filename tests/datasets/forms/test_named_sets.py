"""Public sets whose files carry label and patient in their names: ALL-IDB, C-NMC 2019, Kermany."""

from __future__ import annotations

import pytest

from firstread.datasets import open_dataset
from firstread.domain.errors import BadDataset


def touch(folder, *names: str, text: str = "x") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def told(dataset) -> list[tuple[str, str]]:
    return [(item.label, item.patient) for item in dataset.items]


def test_allidb1_opens_with_the_centres_of_its_blasts(tmp_path):
    touch(tmp_path, "im/Im001_1.jpg", "im/Im050_0.jpg")
    touch(tmp_path, "xyc/Im001_1.xyc", text="1219\t1121\n\n540, 33\n")
    touch(tmp_path, "xyc/Im050_0.xyc", text="")
    dataset = open_dataset(tmp_path)
    assert told(dataset) == [("leukaemia", "Im001"), ("healthy", "Im050")]
    assert dataset.items[0].places == ((1219.0, 1121.0), (540.0, 33.0))
    assert dataset.items[1].places == ()
    assert "names no patients" in dataset.remark


def test_allidb2_opens_and_other_names_among_its_own_are_not_guessed_at(tmp_path):
    touch(tmp_path, "Im006_1.tif", "Im131_0.tif")
    assert told(open_dataset(tmp_path)) == [("leukaemia", "Im006"), ("healthy", "Im131")]
    touch(tmp_path, "holiday.jpg")
    with pytest.raises(BadDataset, match=r"named as in ALL-IDB, and 1 otherwise.*'holiday\.jpg'"):
        open_dataset(tmp_path)


def test_folds_of_cnmc_are_not_taken_for_labels_where_a_name_is_another(tmp_path):
    touch(tmp_path, "fold_0/all/UID_11_1_1_all.bmp", "fold_0/hem/UID_H10_1_1_hem.bmp")
    touch(tmp_path, "fold_1/all/UID_12_1_1_all (copy).bmp")
    with pytest.raises(BadDataset, match=r"named as in C-NMC 2019, and 1 otherwise"):
        open_dataset(tmp_path)


def test_damaged_centres_are_named_with_their_line(tmp_path):
    touch(tmp_path, "Im001_1.jpg")
    touch(tmp_path, "Im001_1.xyc", text="12 13\ntwelve\n")
    with pytest.raises(BadDataset, match=r"Im001_1\.xyc, line 2"):
        open_dataset(tmp_path)


def test_cnmc_has_its_patients_in_its_names(tmp_path):
    touch(tmp_path, "fold_0/all/UID_11_1_1_all.bmp", "fold_0/hem/UID_H10_1_1_hem.bmp")
    touch(tmp_path, "fold_1/all/UID_11_2_1_all.bmp")
    dataset = open_dataset(tmp_path)
    assert told(dataset) == [("leukaemia", "11"), ("healthy", "H10"), ("leukaemia", "11")]


def test_the_preliminary_test_of_cnmc_has_them_in_a_table(tmp_path):
    touch(tmp_path, "phase2/1.bmp", "phase2/2.bmp", "phase2/9.bmp")
    table = (
        "Patient_ID,new_names,labels\nUID_57_29_1_all.bmp,1.bmp,1\nUID_H49_29_2_hem.bmp,2.bmp,0\n"
    )
    touch(tmp_path, "labels_of_phase2.csv", text=table)
    dataset = open_dataset(tmp_path)
    assert told(dataset) == [("leukaemia", "57"), ("healthy", "H49")]
    assert dataset.unlabelled == ("phase2/9.bmp",)


def test_scans_named_by_label_patient_and_number_open_with_their_patients(tmp_path):
    touch(tmp_path, "train/CNV/CNV-81630-43.jpeg", "test/DME/DME-30521-1.jpeg")
    dataset = open_dataset(tmp_path)
    assert sorted(told(dataset)) == [("CNV", "81630"), ("DME", "30521")]
    assert sorted(item.part for item in dataset.items) == ["test", "train"]


def test_pictures_named_by_label_alone_open_without_patients(tmp_path):
    touch(tmp_path, "basophil__BA_10622.jpg", "ig__MY_1.jpg")
    assert told(open_dataset(tmp_path)) == [("basophil", ""), ("ig", "")]


def test_folders_for_parts_are_not_taken_for_labels(tmp_path):
    touch(tmp_path, "Training/glioma/a.jpg", "Testing/glioma/b.jpg", "Testing/none/c.jpg")
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("glioma", "none")
    assert [item.part for item in dataset.items] == ["test", "test", "train"]


def test_boxes_are_no_labels(tmp_path):
    touch(tmp_path, "boxes.csv", "images.zip")
    with pytest.raises(BadDataset, match=r"holds boxes round cells .*one folder per label"):
        open_dataset(tmp_path)
