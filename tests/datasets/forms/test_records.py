"""Annotated records open from a folder, a zip or a tar archive, and hostile ones are refused."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest

from firstread.datasets import open_dataset
from firstread.datasets.forms.records import beats_of
from firstread.domain.errors import BadDataset
from firstread.recordings import open_recording
from tests.recordings_for_tests import annotated

EXPECTED = ("N", "N", "V", "S", "F", "Q", "N")


def tarred(path, files: dict[str, bytes], *, mode: str = "w:xz") -> None:
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {
        name: data
        for record in ("100", "101")
        for name, data in annotated(record, symbols="NLVAF/N").items()
    }


def test_records_in_a_folder_open_one_item_each(files, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    dataset = open_dataset(tmp_path)
    assert dataset.kind == "recording"
    assert [(item.path, item.patient, item.label) for item in dataset.items] == [
        ("100", "100", "N"),
        ("101", "101", "N"),
    ]
    assert beats_of(dataset, dataset.items[0]).labels == EXPECTED
    assert open_recording(dataset.data(dataset.items[0])).signal.shape[0] == 2


@pytest.mark.parametrize(("name", "mode"), [("records.tar.xz", "w:xz"), ("r.tgz", "w:gz")])
def test_records_in_a_tar_archive_are_read_without_unpacking_it(files, tmp_path, name, mode):
    tarred(tmp_path / name, {f"./ds1/{key}": data for key, data in files.items()}, mode=mode)
    dataset = open_dataset(tmp_path)
    assert [item.path for item in dataset.items] == ["ds1/100", "ds1/101"]
    assert beats_of(dataset, dataset.items[1]).labels == EXPECTED
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_annotations_read_as_the_library_wfdb_reads_them(tmp_path):
    from tests.recordings_for_tests import wfdb_library

    wfdb = wfdb_library()
    rng = np.random.default_rng(5)
    samples = np.cumsum(rng.integers(1, 4000, 400))  # steps above 1,023 need a skip
    symbols = rng.choice(list("NLRAaJSVFej/fQE|~+"), 400)
    notes = ["(AFIB" if symbol == "+" else "" for symbol in symbols]
    wfdb.wrann("r", "atr", samples, symbols, aux_note=notes, write_dir=str(tmp_path))
    from firstread.datasets.forms.annotations import AAMI, true_beats

    found = true_beats((tmp_path / "r.atr").read_bytes(), name="r.atr")
    expected = [(s, AAMI[y]) for s, y in zip(samples.tolist(), symbols, strict=True) if y in AAMI]
    assert list(zip(found.samples.tolist(), found.labels, strict=True)) == expected


def test_flutter_is_set_aside():
    from firstread.datasets.forms.annotations import true_beats

    data = annotated("1", symbols="NN[!!]NN")["1.atr"]
    found = true_beats(data, name="1.atr")
    assert found.labels == ("N",) * 4
    assert len(found.asides) == 1


def test_an_archive_without_records_is_refused(tmp_path):
    tarred(tmp_path / "records.tar.xz", {"readme.txt": b"hello"})
    with pytest.raises(BadDataset, match=r"no annotated records"):
        open_dataset(tmp_path)


def test_a_damaged_archive_is_refused(files, tmp_path):
    tarred(tmp_path / "records.tar.xz", files)
    whole = (tmp_path / "records.tar.xz").read_bytes()
    (tmp_path / "records.tar.xz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadDataset, match="damaged or cut short"):
        open_dataset(tmp_path)


def test_a_name_in_an_archive_that_leads_elsewhere_is_refused(files, tmp_path):
    tarred(tmp_path / "records.tar.xz", {**files, "../1.hea": b"x"})
    with pytest.raises(BadDataset, match=r"'\.\./1\.hea', a name that leads elsewhere"):
        open_dataset(tmp_path)


def test_what_a_macintosh_adds_to_an_archive_is_left_out(files, tmp_path):
    dotted = {f"./{name}": data for name, data in files.items()}
    shadows = {f"./._{name}": b"shadow" for name in files}
    tarred(tmp_path / "records.tar.xz", dotted | shadows)
    assert len(open_dataset(tmp_path).items) == 2


def test_a_record_without_annotations_is_told_of(files, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "bare.hea").write_bytes(b"bare 1 360 10\n")
    assert open_dataset(tmp_path).unlabelled == ("bare",)


def test_links_in_an_archive_are_left_out(files, tmp_path):
    with tarfile.open(tmp_path / "records.tar", "w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("../../etc/evil.hea")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert len(open_dataset(tmp_path).items) == 2


@pytest.mark.parametrize("damage", [b"", b"\x01", bytes([1, 4]) * 3, b"\xff" * 40])
def test_damaged_annotations_are_refused(files, tmp_path, damage):
    for name, data in files.items():
        (tmp_path / name).write_bytes(damage if name == "101.atr" else data)
    with pytest.raises(BadDataset, match=r"101\.atr"):
        open_dataset(tmp_path)
