"""Folders and zip files are read by names alone, and nothing outside of them."""

from __future__ import annotations

import unicodedata
import zipfile

import pytest

from firstread.datasets import open_dataset
from firstread.datasets.place import place_of
from firstread.domain.errors import BadDataset


def zip_of(path, files: dict[str, bytes]):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_zip_of_folders_opens_whatever_folder_it_was_packed_in(tmp_path):
    files = {f"cells/{label}/{n}.png": b"x" for label in ("blast", "other") for n in range(2)}
    hidden = {"__MACOSX/cells/blast/._1.png": b"x", "cells/.DS_Store": b"x"}
    dataset = open_dataset(zip_of(tmp_path / "cells.zip", {**files, **hidden}))
    assert (dataset.name, dataset.labels, len(dataset.items)) == ("cells", ("blast", "other"), 4)
    assert dataset.data(dataset.items[0]) == b"x"


def test_the_only_label_of_a_zip_is_not_taken_for_the_folder_it_was_packed_in(tmp_path):
    dataset = open_dataset(zip_of(tmp_path / "set.zip", {"blast/1.png": b"x", "blast/2.png": b"y"}))
    assert dataset.labels == ("blast",)


def test_a_zip_with_its_own_labels_opens(tmp_path):
    files = {"set/labels.csv": b"path,label\npics/1.png,ill\n", "set/pics/1.png": b"x"}
    dataset = open_dataset(zip_of(tmp_path / "set.zip", files))
    assert [(item.path, item.label) for item in dataset.items] == [("pics/1.png", "ill")]
    assert dataset.data(dataset.items[0]) == b"x"


def test_names_of_a_zip_that_lead_elsewhere_are_passed_over_and_written_nowhere(tmp_path):
    files = {"../../etc/ill/1.png": b"outside", "/ill/2.png": b"absolute", "well/3.png": b"x"}
    dataset = open_dataset(zip_of(tmp_path / "set.zip", files))
    assert [dataset.data(item) for item in dataset.items] == [b"absolute", b"x"]
    assert list(tmp_path.iterdir()) == [tmp_path / "set.zip"]


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path, monkeypatch):
    monkeypatch.setattr("firstread.datasets.place.MAX_FILE_BYTES", 1 << 20)
    path = zip_of(tmp_path / "set.zip", {"ill/1.png": bytes(2 << 20), "well/1.png": b"x"})
    dataset = open_dataset(path)
    with pytest.raises(BadDataset, match=r"'ill/1\.png' in set\.zip unpacks to more than"):
        dataset.data(dataset.items[0])


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "set" / "ill").mkdir(parents=True)
    (tmp_path / "set" / "ill" / "1.png").symlink_to(tmp_path / "secret.png")
    dataset = open_dataset(tmp_path / "set")
    with pytest.raises(BadDataset, match="leads out of the folder set"):
        dataset.data(dataset.items[0])


def test_accents_are_found_in_either_spelling_and_with_either_slash(tmp_path):
    name = "Zellen/Grün 1.png"
    path = tmp_path / unicodedata.normalize("NFD", name)
    path.parent.mkdir()
    path.write_bytes(b"x")
    table = f"path,label\n{unicodedata.normalize('NFC', name)},ill\n".replace("/", "\\")
    (tmp_path / "labels.csv").write_text(table, encoding="utf-8")
    dataset = open_dataset(tmp_path)
    assert dataset.data(dataset.items[0]) == b"x"
    assert dataset.unlabelled == ()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + bytes(50), b"PK\x05\x06" + bytes(5)])
def test_a_zip_that_is_none_is_refused(tmp_path, data):
    (tmp_path / "set.zip").write_bytes(data)
    with pytest.raises(BadDataset, match=r"set\.zip is not a zip file"):
        place_of(tmp_path / "set.zip")


def test_an_encrypted_sample_is_named(tmp_path):
    path = zip_of(tmp_path / "set.zip", {"ill/1.png": b"x", "well/1.png": b"y"})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(data)
    dataset = open_dataset(path)
    with pytest.raises(BadDataset, match="is damaged"):
        dataset.data(dataset.items[0])
