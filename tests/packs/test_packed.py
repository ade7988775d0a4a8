"""A pack travels in one file; hostile ones are not unpacked."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from firstread.domain.errors import PackRefused
from firstread.packs import packed, verify
from firstread.packs.packed import is_packed, pack_into, unpack
from tests.packs_for_tests import make_pack


def test_the_same_pack_is_packed_to_the_same_bytes_and_comes_out_whole(tmp_path):
    folder = make_pack(tmp_path)
    one, other = (pack_into(folder, tmp_path / name) for name in ("a.zip", "b.zip"))
    assert one.read_bytes() == other.read_bytes()
    (tmp_path / "out").mkdir()
    unpack(one, tmp_path / "out")
    assert verify(tmp_path / "out") == verify(folder)


def test_a_tar_file_is_taken_too(tmp_path):
    folder = make_pack(tmp_path)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as file:
        file.add(folder, arcname="some-name")
    assert is_packed(tmp_path / "a.tar.gz")
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    assert verify(tmp_path / "out") == verify(folder)


def test_a_damaged_pack_is_not_packed(tmp_path):
    folder = make_pack(tmp_path)
    (folder / "card.md").write_text("other words")
    with pytest.raises(PackRefused, match="not as it was sealed"):
        pack_into(folder, tmp_path / "a.zip")
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize(
    "name", ["../outside", "/outside", "p/../../outside", "p/a\\..\\b", "beside"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("p/pack.toml", "format = 1")
        file.writestr(name, "x")
    (tmp_path / "out").mkdir()
    with pytest.raises(PackRefused, match="leads out of the pack's folder"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        about = tarfile.TarInfo("pack.toml")
        about.size = 10
        file.addfile(about, io.BytesIO(b"format = 1"))
        link = tarfile.TarInfo("model.onnx")
        link.type, link.linkname = kind, "/etc/passwd"
        file.addfile(link)
    (tmp_path / "out").mkdir()
    with pytest.raises(PackRefused, match="is a link or a device"):
        unpack(tmp_path / "a.tar", tmp_path / "out")


def test_a_link_in_a_zip_file_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("pack.toml", "format = 1")
        about = zipfile.ZipInfo("model.onnx")
        about.external_attr = 0o120777 << 16
        file.writestr(about, "/etc/passwd")
    (tmp_path / "out").mkdir()
    with pytest.raises(PackRefused, match="is a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_what_unpacks_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(packed, "MOST_FILES", 5)
    with zipfile.ZipFile(tmp_path / "large.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("pack.toml", "format = 1")
        file.writestr("model.onnx", b"0" * 2_000_000)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as file:
        for number in range(6):
            file.writestr(f"{number}.txt", "")
    for name, why in (("large", "holds more than"), ("many", "more than 5 files")):
        (tmp_path / name).mkdir()
        with pytest.raises(PackRefused, match=why):
            unpack(tmp_path / f"{name}.zip", tmp_path / name)


def test_a_file_that_is_cut_short_or_holds_a_name_twice_is_refused(tmp_path):
    whole = pack_into(make_pack(tmp_path), tmp_path / "whole.tar").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert not is_packed(tmp_path / "cut.zip")
    (tmp_path / "out").mkdir()
    with pytest.raises(PackRefused, match="it is damaged"):
        unpack(tmp_path / "cut.zip", tmp_path / "out")
    with tarfile.open(tmp_path / "twice.tar", "w") as file:
        for _ in range(2):
            about = tarfile.TarInfo("pack.toml")
            file.addfile(about, io.BytesIO(b""))
    with pytest.raises(PackRefused, match=r"holds 'pack.toml' twice"):
        unpack(tmp_path / "twice.tar", tmp_path / "out")


def test_other_files_are_no_packed_packs(tmp_path: Path):
    (tmp_path / "model.onnx").write_bytes(b"\x08\x07\x12\x00")
    assert not is_packed(tmp_path / "model.onnx")
