"""What was answered is kept, so that a run that was stopped goes on and reads nothing twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from firstread.cli.answers_file import KeptAnswers
from firstread.cli.main import main
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack

COUNT = 300


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_pack(tmp_path / "packs")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path / "packs"))
    folder = tmp_path / "samples"
    for colour in ("red", "green"):
        (folder / colour).mkdir(parents=True)
        for number in range(3):
            (folder / colour / f"{number}.png").write_bytes(cell_png(colour, seed=number))
    (folder / "broken.png").write_bytes(b"not a picture")
    return folder


def _run(folder: Path, out: Path, *words: str) -> Result:
    given = ["classify", str(folder), "--pack", "colour", "--out", str(out), *words]
    return CliRunner().invoke(main, given)


def _plain(text: str) -> list[object]:
    """The objects without their times."""
    return [
        {key: value for key, value in json.loads(line).items() if key != "ms"}
        for line in text.splitlines()
    ]


def test_a_second_run_reads_nothing_and_says_the_same(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    first = _run(samples, out, "--json")
    kept = out.read_bytes()
    second = _run(samples, out, "--json")
    assert second.stdout == first.stdout
    assert out.read_bytes() == kept
    assert len(kept.splitlines()) == 7
    assert first.exit_code == second.exit_code == 1
    assert out.stat().st_mode & 0o077 == 0


def test_a_torn_line_is_dropped_and_its_sample_read_again(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    whole = _run(samples, out, "--json").stdout
    kept = out.read_bytes()
    for cut in (1, 5, 200):
        out.write_bytes(kept[:-cut])
        assert _plain(_run(samples, out, "--json").stdout) == _plain(whole)
        assert len(out.read_bytes().splitlines()) == 7


def test_a_sample_that_changed_is_read_again(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    _run(samples, out)
    (samples / "red" / "0.png").write_bytes(cell_png("green", seed=9))
    assert "false negative" in _run(samples, out).stdout
    assert len(out.read_bytes().splitlines()) == 8
    assert "false negative" in _run(samples, out).stdout
    assert len(out.read_bytes().splitlines()) == 8


def test_answers_of_another_pack_are_refused(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    _run(samples, out)
    kept = out.read_bytes()
    make_pack(tmp_path / "other", version="1.1.0", gain=2.0)
    words = ("--pack", str(tmp_path / "other" / "colour"))
    result = _run(samples, out, *words)
    assert result.exit_code == 2
    assert "holds answers of colour 1.0.0 with other contents than colour 1.1.0" in result.stderr
    assert out.read_bytes() == kept


@pytest.mark.parametrize("content", [b"hello", b"hello\n", b'{"path": 1}\n', b"[]\n", b"\x89PNG"])
def test_a_file_that_holds_something_else_is_left_as_it_is(
    samples: Path, tmp_path: Path, content: bytes
) -> None:
    out = tmp_path / "precious.txt"
    out.write_bytes(content)
    result = _run(samples, out)
    assert result.exit_code == 2
    assert "holds something else than answers, on line 1" in result.stderr
    assert out.read_bytes() == content


def test_the_file_may_lie_among_the_samples(samples: Path) -> None:
    out = samples / "answers.jsonl"
    assert _run(samples, out).stdout == _run(samples, out).stdout


def test_two_runs_do_not_write_one_file(samples: Path, tmp_path: Path) -> None:
    import fcntl

    out = tmp_path / "answers.jsonl"
    with out.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        result = _run(samples, out)
    assert result.exit_code == 2
    assert "Another run is writing" in result.stderr


def test_what_is_no_plain_file_is_refused(samples: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is no plain file" in _run(samples, tmp_path / "pipe").stderr


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_stop_while_an_answer_is_kept_counts_it(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    keep = KeptAnswers.keep

    def stopped(kept: KeptAnswers, answer: dict[str, object], **names: str) -> None:
        third = "green/2" in str(answer["path"])
        if third and moment == "before":
            signal.raise_signal(signal.SIGINT)
        keep(kept, answer, **names)
        if third and moment == "after":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(KeptAnswers, "keep", stopped)
    out = tmp_path / "answers.jsonl"
    result = _run(samples, out)
    assert result.exit_code == 130
    count = len(out.read_bytes().splitlines())
    assert 0 < count < 7
    assert f"{count} of 7 were read. Run the same command again to go on." in result.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_goes_on_where_it_was(
    samples: Path, tmp_path: Path, how: signal.Signals
) -> None:
    many, out = tmp_path / "many", tmp_path / "answers.jsonl"
    many.mkdir()
    large = cell_png("red", side_px=400)
    for number in range(COUNT):
        (many / f"{number:04}.png").write_bytes(large)
    words = ["classify", str(many), "--pack", "colour", "--json", "--out", str(out)]
    run = subprocess.Popen(
        [sys.executable, "-m", "firstread", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (out.exists() and out.stat().st_size > 5000) and run.poll() is None:
        time.sleep(0.001)
    run.send_signal(how)
    _, said = run.communicate()
    before = out.read_bytes()
    read = before.count(b"\n")
    assert 0 < read < COUNT, said
    if how == signal.SIGINT:
        assert run.returncode == 130
        assert f"{read} of {COUNT} were read. Run the same command again to go on." in said
    result = CliRunner().invoke(main, words)
    after = out.read_bytes()
    whole = before[: before.rindex(b"\n") + 1]
    assert after.startswith(whole)
    paths = [json.loads(line)["path"] for line in after.splitlines()]
    assert paths == sorted(set(paths))
    assert len(paths) == COUNT == len(result.stdout.splitlines())
