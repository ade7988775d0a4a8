"""`firstread packs` lists, shows and verifies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from firstread.cli.main import main
from tests.packs_for_tests import make_pack


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_pack(tmp_path)
    make_pack(tmp_path, kind="measurements")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    return tmp_path


def _packs(*words: str) -> Result:
    return CliRunner().invoke(main, ["packs", *words])


def test_list_names_each_pack_and_a_refused_one_too(packs: Path) -> None:
    (packs / "broken").mkdir()
    (packs / "broken" / "pack.toml").write_text("format = 1", encoding="utf-8")
    rows = {row["name"]: row for row in json.loads(_packs("list", "--json").stdout)}
    assert rows["colour"]["labels"] == ["red", "green", "blue"]
    assert rows["sizes"]["kind"] == "measurements"
    assert "lacks 'pack'" in rows["broken"]["error"]
    assert re.search(r"^broken +REFUSED", _packs("list").stdout, re.MULTILINE)


def test_columns_line_up_however_long_a_name_is(packs: Path) -> None:
    make_pack(packs, name="a-name-that-is-longer-than-most-others-are")
    lines = _packs("list").stdout.splitlines()
    versions = [re.search(r"  \d+\.\d+\.\d+  ", line) for line in lines]
    assert len({found and found.start() for found in versions}) == 1
    shown = _packs("show", "fundus").stdout.split("  results\n")[1].splitlines()
    assert len({line.index("  0.") for line in shown}) == 1


def test_show_says_for_whom_and_how_well(packs: Path) -> None:
    shown = _packs("show", "colour").stdout
    for words in ("For tests only.", "Knows colours, and no cells.", "sensitivity 0.950", "n = 60"):
        assert words in shown
    assert (
        json.loads(_packs("show", "sizes", "--json").stdout)["pack"]["check"] == "breast-cytology"
    )


def test_verify_passes_whole_packs_and_fails_a_damaged_one(packs: Path) -> None:
    whole = _packs("verify", "colour", "sizes")
    assert whole.exit_code == 0
    assert whole.stdout.count("is whole and answers as it must") == 2
    (packs / "sizes" / "card.md").unlink()
    damaged = _packs("verify", "colour", "sizes", "--json")
    assert damaged.exit_code == 1
    good, bad = json.loads(damaged.stdout)
    assert len(good["sha256"]) == 64
    assert "card.md is missing" in bad["error"]


def test_verify_of_an_unknown_pack_is_wrong_use(packs: Path) -> None:
    assert _packs("verify", "absent").exit_code == 2
