"""Packs are found by name or path, on the shelves in their order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from firstread.domain.errors import UnknownPack
from firstread.packs import find_pack, list_packs, own_shelf
from tests.packs_for_tests import make_pack


def test_a_name_finds_the_pack_of_the_first_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_pack(tmp_path / "a", name="colour")
    make_pack(tmp_path / "b", name="colour")
    other = make_pack(tmp_path / "b", name="other")
    places = [str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "absent")]
    monkeypatch.setenv("FIRSTREAD_PACKS", os.pathsep.join(places))
    assert find_pack("colour") == first
    assert find_pack("other") == other
    assert {first, other} <= set(list_packs())


def test_a_path_finds_the_pack_that_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRSTREAD_PACKS", raising=False)
    pack = make_pack(tmp_path, name="colour")
    assert find_pack(pack) == pack
    monkeypatch.chdir(tmp_path)
    assert find_pack("./colour").resolve() == pack
    assert find_pack("colour").resolve() == pack


def test_the_newest_of_several_versions_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1.9.0", "1.10.0"):
        made = make_pack(tmp_path / "made", name="colour", version=version)
        made.rename(tmp_path / f"colour-{version}")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    assert find_pack("colour").name == "colour-1.10.0"
    assert find_pack("colour-1.9.0").name == "colour-1.9.0"


def test_an_unknown_name_lists_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pack(tmp_path, name="colour")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    with pytest.raises(UnknownPack, match=r"no pack 'blood'.*colour"):
        find_pack("blood")


def test_what_is_taken_in_comes_before_what_ships_and_after_what_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRSTREAD_PACKS", raising=False)
    monkeypatch.setenv("FIRSTREAD_HOME", str(tmp_path / "home"))
    assert own_shelf() == tmp_path / "home" / "packs"
    own = make_pack(own_shelf(), name="blood-cell")
    assert find_pack("blood-cell") == own
    named = make_pack(tmp_path / "named", name="blood-cell")
    monkeypatch.setenv("FIRSTREAD_PACKS", f"{tmp_path / 'named'}{os.pathsep}{tmp_path / 'other'}")
    assert own_shelf() == tmp_path / "named"
    assert find_pack("blood-cell") == named


def test_without_a_home_the_shipped_packs_are_found_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRSTREAD_PACKS", raising=False)
    monkeypatch.setenv("FIRSTREAD_HOME", "~nobody-of-this-name/firstread")
    assert "blood-cell" in {pack.name for pack in list_packs()}
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FIRSTREAD_HOME", str(tmp_path / "file"))
    assert "blood-cell" in {pack.name for pack in list_packs()}
