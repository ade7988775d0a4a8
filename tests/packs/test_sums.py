"""A pack is whole, or refused with the file's name."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstread.domain.errors import PackRefused
from firstread.packs import seal, verify
from tests.packs_for_tests import make_pack


def test_a_sealed_pack_is_whole_and_its_hash_is_that_of_the_list(tmp_path: Path) -> None:
    pack = make_pack(tmp_path)
    assert verify(pack) == hashlib.sha256((pack / "SHA256SUMS").read_bytes()).hexdigest()
    assert verify(pack) == seal(pack)


def test_the_tool_of_every_linux_can_check_it(tmp_path: Path) -> None:
    pack = make_pack(tmp_path)
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=pack, check=True)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_byte_is_refused_in_every_file(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pack = make_pack(tmp_path_factory.mktemp("pack"))
    files = sorted(path for path in pack.rglob("*") if path.is_file())
    file = data.draw(st.sampled_from(files))
    content = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    with pytest.raises(PackRefused, match=r"damaged|SHA256SUMS"):
        verify(pack)


@pytest.mark.parametrize("end", [b"", b"\v", b"\r\n", b"\n\n"])
def test_an_end_of_line_that_was_changed_is_refused(tmp_path: Path, end: bytes) -> None:
    pack = make_pack(tmp_path)
    sums = pack / "SHA256SUMS"
    sums.write_bytes(sums.read_bytes().removesuffix(b"\n") + end)
    with pytest.raises(PackRefused, match="SHA256SUMS"):
        verify(pack)


def test_a_file_that_is_missing_added_or_a_link_is_refused(tmp_path: Path) -> None:
    pack = make_pack(tmp_path)
    (pack / "extra.py").write_text("print()", encoding="utf-8")
    with pytest.raises(PackRefused, match=r"extra.py is not listed"):
        verify(pack)
    (pack / "extra.py").unlink()
    card = (pack / "card.md").read_bytes()
    (pack / "card.md").unlink()
    with pytest.raises(PackRefused, match=r"card.md is missing"):
        verify(pack)
    (tmp_path / "card.md").write_bytes(card)
    (pack / "card.md").symlink_to(tmp_path / "card.md")
    with pytest.raises(PackRefused, match=r"card.md is a link"):
        verify(pack)


def test_a_list_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    pack = make_pack(tmp_path)
    with (pack / "SHA256SUMS").open("a", encoding="utf-8") as file:
        file.write(f"{'0' * 64}  ../../etc/passwd\n")
    with pytest.raises(PackRefused, match="is damaged"):
        verify(pack)


def test_a_pack_without_a_list_is_refused(tmp_path: Path) -> None:
    pack = make_pack(tmp_path)
    (pack / "SHA256SUMS").unlink()
    with pytest.raises(PackRefused, match="has no SHA256SUMS"):
        verify(pack)
