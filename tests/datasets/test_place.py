"""Folders and zip files are read by names alone, and nothing outside of them."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize("name", ["../../etc/ill/1.png", "/ill/1.png", "ill/../../1.png"])
def test_a_zip_with_a_name_that_leads_elsewhere_is_refused_and_written_nowhere(tmp_path, name):
    path = zip_of(tmp_path / "set.zip", {name: b"outside", "well/3.png": b"x"})
    with pytest.raises(BadDataset, match=r"set\.zip holds '.*', a name that leads elsewhere"):
        open_dataset(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_sample_packed_as_lzma_that_is_damaged_is_named(tmp_path):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("ill/1.png", bytes(range(256)) * 8)
        archive.writestr("well/1.png", b"x")
    data = bytearray(path.read_bytes())
    data[60:120] = b"\xff" * 60
    path.write_bytes(data)
    dataset = open_dataset(path)
    with pytest.raises(BadDataset, match=r"'ill/1\.png' in set\.zip is damaged"):
        dataset.data(dataset.items[0])


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


def test_a_folder_that_is_a_link_elsewhere_is_told_of_and_not_lost(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.png").write_bytes(b"x")
    (tmp_path / "set" / "ill").mkdir(parents=True)
    (tmp_path / "set" / "ill" / "1.png").write_bytes(b"x")
    (tmp_path / "set" / "well").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadDataset, match="'well' in set is a link that leads out of it"):
        open_dataset(tmp_path / "set")


def test_a_pipe_and_a_link_to_itself_are_not_there(tmp_path):
    (tmp_path / "1.png").write_bytes(b"x")
    os.mkfifo(tmp_path / "2.png")
    (tmp_path / "3.png").symlink_to("3.png")
    table = "path,label\n1.png,ill\n2.png,ill\n3.png,ill\n"
    (tmp_path / "labels.csv").write_text(table, encoding="utf-8")
    dataset = open_dataset(tmp_path)
    assert dataset.data(dataset.items[0]) == b"x"
    for item in dataset.items[1:]:
        with pytest.raises(BadDataset, match="is not in the folder"):
            dataset.data(item)


def test_a_file_too_large_for_any_sample_is_not_read(tmp_path):
    (tmp_path / "ill").mkdir()
    with (tmp_path / "ill" / "1.png").open("wb") as file:
        file.truncate(9 << 30)  # takes no place on the disk
    dataset = open_dataset(tmp_path)
    with pytest.raises(BadDataset, match=r"1\.png is larger than 8 GiB"):
        dataset.data(dataset.items[0])


def test_labels_csv_named_itself_is_its_folder(tmp_path):
    (tmp_path / "1.png").write_bytes(b"x")
    (tmp_path / "labels.csv").write_text("path,label\n1.png,ill\n", encoding="utf-8")
    dataset = open_dataset(tmp_path / "labels.csv")
    assert (dataset.name, dataset.data(dataset.items[0])) == (tmp_path.name, b"x")


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
