"""`firstread submit` and `firstread token`, as somebody at a terminal sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from firstread.cli.main import main
from tests.images_for_tests import cell_png

Run = Callable[..., Result]


@pytest.fixture
def run(live_server: Any, shelf: Path) -> Run:
    from tests.programs_for_tests import make_program, open_clinic

    open_clinic()
    env = {"FIRSTREAD_SERVER": live_server.url, "FIRSTREAD_TOKEN": make_program().secret}

    def call(*words: str, **more: str) -> Result:
        return CliRunner().invoke(main, list(words), env=env | more)

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("7_a.png", "7_b.png", "8_a.png", ".hidden.png", "9.png.part")):
        (tmp_path / name).write_bytes(cell_png(seed=number))
    return tmp_path


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_folder_is_sent_by_accession_and_again_makes_nothing(run: Run, folder: Path) -> None:
    first = run("submit", str(folder), "--check", "leukaemia", "--json")
    assert first.exit_code == 0, first.output
    assert [(len(each["files"]), each["added"]) for each in lines(first)] == [(2, 2), (1, 1)]
    again = run("submit", str(folder), "--check", "leukaemia")
    assert again.exit_code == 0
    assert again.stdout.count("there already") == 2


def test_all_files_make_one_case_where_asked(run: Run, folder: Path) -> None:
    sent = run("submit", str(folder), "--check", "leukaemia", "--one-case", "--json")
    assert [(len(each["files"]), each["created"]) for each in lines(sent)] == [(3, True)]


def test_a_file_that_is_none_is_told_of_and_the_others_are_sent(run: Run, folder: Path) -> None:
    (folder / "5.png").write_bytes(b"nothing at all")
    sent = run("submit", str(folder), "--check", "leukaemia")
    assert sent.exit_code == 1
    assert sent.stdout.count("new case") == 2
    assert "refused: " in sent.stdout


def test_a_table_is_sent_row_by_row(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "lumps.csv"
    table.write_text("accession;Cell size;shape\nB1;1;1\nB2;x;1\nB3;99;1\n")
    sent = run("submit", str(table), "--check", "breast-cytology", "--json")
    assert sent.exit_code == 1
    told = {each["line"]: each for each in lines(sent)}
    assert told[2]["created"]
    assert "must be a number" in told[3]["refused"][0]
    assert "between 1 and 10" in told[4]["refused"][0]


@pytest.mark.parametrize(
    ("words", "more", "sentence", "code"),
    [
        (["nowhere.png", "--check", "leukaemia"], {}, "There is no file", 2),
        ([".", "--check", "rabies"], {}, "It has: breast-cytology, leukaemia.", 2),
        ([".", "--check", "leukaemia"], {"FIRSTREAD_TOKEN": ""}, "There is no token", 2),
        ([".", "--check", "leukaemia"], {"FIRSTREAD_TOKEN": "frs_a b"}, "copy it whole", 2),
        ([".", "--check", "leukaemia"], {"FIRSTREAD_TOKEN": "frs_a\n"}, "copy it whole", 2),
        ([".", "--check", "leukaemia"], {"FIRSTREAD_TOKEN": "frs_ä"}, "copy it whole", 2),
        ([".", "--check", "leukaemia"], {"FIRSTREAD_TOKEN": "x"}, "needs a token", 1),
        ([".", "--check", "leukaemia", "--pattern", "("], {}, "regular expression", 2),
    ],
)
def test_what_cannot_be_sent_is_said_in_one_sentence(
    run: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    more: dict[str, str],
    sentence: str,
    code: int,
) -> None:
    monkeypatch.chdir(folder)
    refused = run("submit", *words, **more)
    assert refused.exit_code == code
    assert sentence in refused.stderr
    assert "Traceback" not in refused.output


def test_a_token_is_made_listed_used_and_revoked(run: Run, folder: Path) -> None:
    made = run("token", "technician", "--name", "scanner 2", "--days", "30")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    assert secret.startswith("frs_")
    sent = run("submit", str(folder), "--check", "leukaemia", FIRSTREAD_TOKEN=secret)
    assert sent.exit_code == 0
    listed = lines(run("token", "list", "--json"))
    number = next(str(each["number"]) for each in listed if each["name"] == "scanner 2")
    assert "revoked" in run("token", "revoke", number).stdout
    assert "ended before" in run("token", "revoke", number).stdout
    assert "revoked" in run("token", "list").stdout
    sent = run("submit", str(folder), "--check", "leukaemia", FIRSTREAD_TOKEN=secret)
    assert "needs a token" in sent.stderr
    assert secret not in run("token", "list").output


def test_a_token_for_nobody_or_without_sense_is_refused(run: Run) -> None:
    assert "Nobody named 'eve'" in run("token", "eve").stderr
    assert "no scope 'all'" in run("token", "technician", "--scope", "all").stderr
    assert "no token 999" in run("token", "revoke", "999").stderr
