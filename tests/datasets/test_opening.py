"""The forms of labelled samples, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from firstread.datasets import open_dataset
from firstread.domain.errors import BadDataset


def zipped(folder: Path, *, labels: str, names: tuple[str, ...] = ("a.png", "b.png")) -> Path:
    folder.mkdir()
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for name in names:
            archive.writestr(name, name.encode())
    (folder / "labels.csv").write_text(labels)
    return folder


def test_a_zip_with_labels_opens(tmp_path):
    folder = zipped(
        tmp_path / "cells", labels="path,label,patient\na.png,blast,7\nb.png,monocyte,\n"
    )
    dataset = open_dataset(folder)
    assert (dataset.name, dataset.kind, dataset.labels) == ("cells", "image", ("blast", "monocyte"))
    assert [item.patient for item in dataset.items] == ["7", ""]
    assert dataset.data(dataset.items[1]) == b"b.png"


def test_a_folder_of_folders_opens_sorted_and_passes_over_other_files(tmp_path):
    for name in ("red/2.png", "red/1.PNG", "blue/deep/3.jpg", "blue/notes.txt", ".hidden/4.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    dataset = open_dataset(tmp_path / "set")
    assert [(item.path, item.label) for item in dataset.items] == [
        ("blue/deep/3.jpg", "blue"),
        ("red/1.PNG", "red"),
        ("red/2.png", "red"),
    ]


def test_measurements_open_with_question_marks_missing_and_class_codes_named(tmp_path):
    (tmp_path / "measurements.csv").write_text("sample_id,size,nuclei,class\n1,5,?,2\n1,3,10,4\n")
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("benign", "malignant")
    assert dataset.items[0].measurements == (("size", 5.0), ("nuclei", None))
    assert dataset.items[0].patient == dataset.items[1].patient == "1"


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ("path,kind\na.png,x\n", "has no column 'label'"),
        ("path,label\na.png\n", "line 2, lacks a path or a label"),
        ("path,label\n", "holds no labelled samples"),
    ],
)
def test_labels_that_are_not_as_they_should_be_are_refused(tmp_path, labels, sentence):
    with pytest.raises(BadDataset, match=sentence):
        open_dataset(zipped(tmp_path / "cells", labels=labels))


def test_a_sample_that_is_not_in_the_zip_is_named(tmp_path):
    dataset = open_dataset(zipped(tmp_path / "cells", labels="path,label\nmissing.png,blast\n"))
    with pytest.raises(BadDataset, match=r"missing\.png"):
        dataset.data(dataset.items[0])


def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "cells"
    folder.mkdir()
    (folder / "labels.csv").write_text("path,label\n../secret,blast\n")
    dataset = open_dataset(folder)
    with pytest.raises(BadDataset, match="leads out of the folder"):
        dataset.data(dataset.items[0])


def test_a_broken_zip_is_refused(tmp_path):
    (tmp_path / "images.zip").write_bytes(b"no zip")
    (tmp_path / "labels.csv").write_text("path,label\na,b\n")
    with pytest.raises(BadDataset, match=r"images\.zip is not a zip file"):
        open_dataset(tmp_path)


def test_a_number_that_is_none_is_named_with_its_line(tmp_path):
    (tmp_path / "measurements.csv").write_text("size,class\nbig,2\n")
    with pytest.raises(BadDataset, match="line 2: 'big' is not a number for size"):
        open_dataset(tmp_path)


def test_samples_that_lie_deeper_are_pointed_at(tmp_path):
    zipped(tmp_path / "cells", labels="path,label\na.png,x\n")
    with pytest.raises(BadDataset, match=r"lie deeper: name .*/cells"):
        open_dataset(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadDataset, match=r"nothing at .*nowhere"):
        open_dataset(tmp_path / "nowhere")


def test_the_hash_of_a_set_follows_samples_and_labels_but_not_their_order(tmp_path):
    rows = ["a.png,x", "b.png,y"]
    one = open_dataset(zipped(tmp_path / "one", labels="path,label\n" + "\n".join(rows)))
    two = open_dataset(zipped(tmp_path / "two", labels="path,label\n" + "\n".join(rows[::-1])))
    other = open_dataset(zipped(tmp_path / "other", labels="path,label\na.png,y\nb.png,y"))
    assert one.sha256 == two.sha256 != other.sha256


def test_a_damaged_sample_in_the_zip_is_named(tmp_path):
    folder = zipped(tmp_path / "cells", labels="path,label\na.png,blast\n")
    archive = folder / "images.zip"
    archive.write_bytes(archive.read_bytes().replace(b"a.pnga.png", b"a.pngX.png"))
    dataset = open_dataset(folder)
    with pytest.raises(BadDataset, match=r"'a\.png' in images\.zip is damaged"):
        dataset.data(dataset.items[0])
