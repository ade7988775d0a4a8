"""A pack comes to its place whole, written by one alone, whatever dies meanwhile."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import pytest

from firstread.domain.errors import BadConfiguration
from firstread.packs import list_packs
from firstread.packs.place import put_in_place, written_alone


def made(folder: Path, words: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.toml").write_text(words)
    return folder


def hold(shelf: Path, holding) -> None:
    with written_alone(shelf, "small"):
        holding.set()
        signal.pause()


def write_half(shelf: Path) -> None:
    with written_alone(shelf, "small") as folder:
        made(folder, "half")
        raise OSError("full")


def test_a_pack_takes_the_place_of_the_one_before(tmp_path):
    made(tmp_path / "small", "old")
    with written_alone(tmp_path, "small") as folder:
        place = put_in_place(made(folder, "new"), tmp_path / "small")
    assert (place / "pack.toml").read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["small"]


def test_what_goes_wrong_leaves_the_old_pack_and_nothing_beside_it(tmp_path):
    made(tmp_path / "small", "old")
    with pytest.raises(OSError, match="full"):
        write_half(tmp_path)
    assert (tmp_path / "small" / "pack.toml").read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["small"]


def test_what_a_killed_writer_left_is_taken_away(tmp_path, monkeypatch):
    made(tmp_path / ".small.part" / "golden", "half")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    assert tmp_path / ".small.part" not in list_packs()
    with written_alone(tmp_path, "small") as folder:
        assert not list(folder.iterdir())


def test_a_link_in_its_way_is_taken_away_and_what_it_leads_to_stays(tmp_path):
    theirs = made(tmp_path / "theirs", "kept")
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / ".small.part").symlink_to(theirs)
    with written_alone(tmp_path / "shelf", "small") as folder:
        place = put_in_place(made(folder, "new"), tmp_path / "shelf" / "small")
    assert not place.is_symlink()
    assert (theirs / "pack.toml").read_text() == "kept"


def test_the_old_pack_comes_back_where_its_successor_never_came(tmp_path):
    made(tmp_path / ".small.old", "old")
    with written_alone(tmp_path, "small"):
        assert (tmp_path / "small" / "pack.toml").read_text() == "old"


def test_two_writers_of_one_pack_do_not_mix_and_the_second_is_told(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    holding = spawn.Event()
    first = spawn.Process(target=hold, args=(tmp_path, holding), daemon=True)
    first.start()
    assert holding.wait(60)
    with (
        pytest.raises(BadConfiguration, match=r"'small'.*right now.*--out"),
        written_alone(tmp_path, "small"),
    ):
        pass
    with written_alone(tmp_path, "other"):
        pass
    first.kill()
    first.join()
    with written_alone(tmp_path, "small") as folder:  # a dead one holds nothing
        assert folder.is_dir()
    assert not list(tmp_path.iterdir())
