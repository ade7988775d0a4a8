"""A pack with a thousand labels is measured without a flood: the foremost, and how many more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from firstread.cli.main import main
from firstread.evaluation.metrics import among_first
from firstread.runtime import open_reader
from tests.images_for_tests import as_png, cell
from tests.packs_for_tests import THOUSAND, make_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs")
    return make_pack(folder, name="things", check="objects", labels=THOUSAND)


@pytest.fixture
def pictures(pack: Path, tmp_path: Path) -> Path:
    """Two that are named right, one whose label comes third, one whose label comes last."""
    reader = open_reader(pack)
    for number, (colour, place) in enumerate([("red", 0), ("green", 0), ("blue", 2), ("red", -1)]):
        data = as_png(cell(colour, seed=40 + number))
        label = reader.read(data).read.findings[place].label
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(data)
    return tmp_path / "photos"


def evaluate(*words: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *(str(each) for each in words)])


def test_a_terminal_shows_few_labels_and_says_how_many_more_there_are(
    pack: Path, pictures: Path
) -> None:
    ran = evaluate(pack, pictures)
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert len(lines) < 40
    assert max(len(line) for line in lines) < 250
    assert "and 995 more labels, which stand in --json" in lines
    assert "read as (columns)" not in ran.stdout
    table = lines[lines.index(next(line for line in lines if line.startswith("label "))) + 1 :]
    shown = {line.split()[0] for line in table[:5]}
    assert {folder.name for folder in pictures.iterdir()} <= shown


def test_how_often_the_right_label_is_among_the_first_five_is_told(
    pack: Path, pictures: Path
) -> None:
    assert "among first five     0.750 (0.30" in evaluate(pack, pictures).stdout
    told = json.loads(evaluate(pack, pictures, "--json").stdout)
    assert (told["accuracy"], told["top_five_accuracy"]) == (0.5, 0.75)
    assert told["figures"]["top_five_accuracy"]["value"] == 0.75
    assert len(told["labels"]) == len(told["confusion"]["rows"]) == 1000


def test_a_pack_with_few_labels_has_no_such_figure(tmp_path: Path) -> None:
    (tmp_path / "set" / "red").mkdir(parents=True)
    (tmp_path / "set" / "red" / "1.png").write_bytes(as_png(cell("red", seed=1)))
    small = make_pack(tmp_path / "packs")
    assert "first five" not in evaluate(small, tmp_path / "set").stdout
    told = json.loads(evaluate(small, tmp_path / "set", "--json").stdout)
    assert "top_five_accuracy" not in told
    assert "top_five_accuracy" not in told["figures"]


def test_a_label_that_is_not_known_is_refused_in_one_line(pack: Path, pictures: Path) -> None:
    (pictures / "unicorn").mkdir()
    (pictures / "unicorn" / "1.png").write_bytes(as_png(cell("red", seed=9)))
    refused = evaluate(pack, pictures)
    assert refused.exit_code == 1
    assert "has the label 'unicorn'" in refused.stderr
    assert "thing-004 and 995 more. Name another pack." in refused.stderr
    assert len(refused.stderr) < 300


def test_among_as_probable_labels_the_first_of_the_pack_comes_first() -> None:
    chances = np.full((3, 4), 0.25)
    truths = np.array([0, 1, 2])
    assert among_first(truths, chances, count=2).tolist() == [True, True, False]
    assert among_first(truths, chances, count=1).tolist() == (chances.argmax(1) == truths).tolist()
