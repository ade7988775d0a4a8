"""Groups of labels at the command line: shown, counted as positive, and asked for by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from firstread.cli.main import main
from tests.images_for_tests import cell_png
from tests.packs_for_tests import LABELS, WARM, make_pack

PLAIN = tuple(replace(label, positive=False, priority="routine") for label in LABELS)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("packs"), name="grouped", labels=PLAIN, groups=[WARM])


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    for colour in ("red", "green", "blue"):
        (tmp_path / colour).mkdir()
        (tmp_path / colour / "1.png").write_bytes(cell_png(colour))
    return tmp_path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_an_answer_holds_each_group_with_its_probability(pack: Path, cells: Path) -> None:
    result = run("classify", cells / "red", "--pack", pack, "--json", "--labels", "none")
    answer = json.loads(result.stdout)
    assert [each["label"] for each in answer["groups"]] == ["warm"]
    assert answer["groups"][0]["probability"] > 0.5
    assert answer["alarms"] == ["warm"]


def test_labels_of_a_positive_group_count_as_positive(pack: Path, cells: Path) -> None:
    result = run("classify", cells, "--pack", pack, "--json")
    *answers, last = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["outcome"] for each in answers] == [
        "true negative", "true positive", "true positive",
    ]  # fmt: skip
    assert last["summary"]["positive"] == ["red", "green"]
    assert "an alarm of warm" in last["summary"]["rule"]


def test_a_group_may_be_asked_for_by_its_name_and_an_unknown_one_is_refused(
    pack: Path, cells: Path
) -> None:
    named = run("classify", cells, "--pack", pack, "--positive", "warm")
    assert "Positive: an alarm of warm, whose probability reaches" in named.stdout
    apart = run("classify", cells, "--pack", pack, "--positive", "red")
    assert "Positive: red as the most probable label." in apart.stdout
    unknown = run("classify", cells, "--pack", pack, "--positive", "cold")
    assert unknown.exit_code == 2
    assert "--positive names 'cold', which is no label of grouped" in unknown.stderr


def test_packs_show_tells_what_a_group_holds_and_when_it_alarms(pack: Path) -> None:
    shown = run("packs", "show", pack).stdout
    assert "groups" in shown
    line = next(line for line in shown.splitlines() if line.strip().startswith("warm"))
    assert "red or green; positive, urgent, alarm from 0.30 on" in line
