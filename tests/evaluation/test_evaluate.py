"""The command evaluate, with real packs: every figure, and every refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from firstread.cli.main import main
from tests.images_for_tests import cell_png
from tests.packs_for_tests import COLOURS, make_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory) -> Path:
    return make_pack(tmp_path_factory.mktemp("packs"))


@pytest.fixture
def folder(tmp_path) -> Path:
    for label in COLOURS:
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(4):
            picture = cell_png(label, seed=number)
            (tmp_path / "set" / label / f"{number}.png").write_bytes(picture)
    return tmp_path / "set"


def evaluated(*arguments: object) -> tuple[int, dict, str]:
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout or "{}"), result.stderr


def test_a_pack_that_reads_all_right_gets_full_marks(pack, folder):
    code, found, _ = evaluated(pack, folder)
    assert code == 0
    assert (found["n"], found["accuracy"], found["balanced_accuracy"]) == (12, 1.0, 1.0)
    assert found["auc"] == found["f1"] == 1.0
    for figure in ("sensitivity", "specificity", "ppv"):
        assert set(found[figure]) == set(COLOURS)
        assert found[figure]["red"]["value"] == 1.0
        assert 0 < found[figure]["red"]["low"] < found[figure]["red"]["high"] == 1.0
    assert found["confusion"] == {
        "labels": list(COLOURS),
        "rows": [[4, 0, 0], [0, 4, 0], [0, 0, 4]],
    }
    assert {"ece", "coverage", "mean_set_size", "unfamiliar", "unfit_n"} <= set(found)


def test_a_wrong_label_is_counted_wrong(pack, folder):
    (folder / "red" / "0.png").rename(folder / "blue" / "9.png")
    _, found, _ = evaluated(pack, folder)
    assert found["accuracy"] == pytest.approx(11 / 12)
    assert found["confusion"]["rows"][2] == [1, 0, 4]


def test_what_cannot_be_opened_is_listed_and_makes_the_command_fail(pack, folder):
    (folder / "red" / "broken.png").write_bytes(b"not a picture")
    code, found, said = evaluated(pack, folder)
    assert code == 1
    assert found["n"] == 12
    assert [each["path"] for each in found["unreadable"]] == ["red/broken.png"]
    assert "red/broken.png" in said


def test_a_label_that_the_pack_does_not_know_is_refused_with_a_sentence(pack, folder):
    (folder / "red").rename(folder / "violet")
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder)])
    assert result.exit_code == 1
    assert "the label 'violet', which the pack colour does not know" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_of_another_kind_is_refused(pack, tmp_path):
    (tmp_path / "measurements.csv").write_text("size,class\n1,2\n")
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(tmp_path)])
    assert result.exit_code == 1
    assert "reads image" in result.stderr


def test_the_picture_is_drawn(pack, folder, tmp_path):
    pytest.importorskip("matplotlib")
    code, _, _ = evaluated(pack, folder, "--plot", tmp_path / "plot.svg")
    assert code == 0
    assert (tmp_path / "plot.svg").read_text().lstrip().startswith("<?xml")


def test_a_picture_of_an_unknown_ending_is_wrong_use(pack, folder, tmp_path):
    pytest.importorskip("matplotlib")
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder), "--plot", "x.docx"])
    assert result.exit_code == 2


def test_people_get_a_table(pack, folder):
    result = CliRunner().invoke(main, ["evaluate", str(pack), str(folder)])
    assert result.exit_code == 0
    assert "accuracy" in result.stdout
    assert "read as (columns)" in result.stdout
