"""Two trainings of one recipe do not mix, and where nothing can be written none begins."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from click.testing import CliRunner

from firstread.cli.main import main
from firstread.packs.place import alone, written_alone
from firstread.train.recipe import open_recipe


def trained(recipe_file, colours, tmp_path, **options):
    asked = {"data": colours, "out": tmp_path / "packs", "work": tmp_path / "work"} | options
    words = [word for key, value in asked.items() for word in (f"--{key}", str(value))]
    return CliRunner().invoke(main, ["train", str(recipe_file), *words])


def test_the_same_recipe_learns_once_at_a_time_in_a_folder(recipe_file, colours, tmp_path):
    (tmp_path / "work").mkdir()
    lock = tmp_path / "work" / f"colours-{open_recipe(recipe_file).fingerprint()}.lock"
    with alone(lock, otherwise="busy"):
        result = trained(recipe_file, colours, tmp_path)
    assert result.exit_code == 2
    assert "Another training of 'colours' goes on" in result.stderr
    assert "--work" in result.stderr


def test_one_pack_is_written_by_one_training_at_a_time(recipe_file, colours, tmp_path):
    with written_alone(tmp_path / "packs", "colours"):
        result = trained(recipe_file, colours, tmp_path)
    assert result.exit_code == 2
    assert "Another command writes the pack 'colours'" in result.stderr


def test_a_folder_that_cannot_be_written_is_refused_before_it_learns(
    recipe_file, colours, tmp_path
):
    result = trained(recipe_file, colours, tmp_path, out="/proc/packs")
    assert result.exit_code != 0
    assert "'/proc/packs' cannot be used" in result.stderr
    assert "epoch" not in result.stderr
    assert not list((tmp_path / "work").glob("*.pt"))
