"""A screening that is killed or stopped loses nothing, and reads nothing twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.images_for_tests import cell_png

THREADS = 2


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Some hundred samples, with a few among them that cannot be read."""
    folder = tmp_path / "samples"
    folder.mkdir()
    cells = [cell_png("red", seed=seed) for seed in range(10)]
    for number in range(500):
        data = b"no picture" if number % 100 == 7 else cells[number % 10]
        (folder / f"{number:04}.png").write_bytes(data + number.to_bytes(4, "little"))
    return folder


def _start(folder: Path, out: Path, *, pack: str = "colour") -> subprocess.Popen[str]:
    words = ["screen", str(folder), "--pack", pack, "--out", str(out), "--threads", str(THREADS)]
    return subprocess.Popen(
        [sys.executable, "-m", "firstread", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def _written_bytes(out: Path) -> int:
    log = out.with_name(out.name + ".journal-wal")
    return log.stat().st_size if log.exists() else 0


def _wait_for(process: subprocess.Popen[str], out: Path, *, more_bytes: int) -> None:
    """Until the process has written that much to its journal, or has ended."""
    before = _written_bytes(out)
    while process.poll() is None and _written_bytes(out) - before < more_bytes:
        time.sleep(0.002)


def _kept(out: Path) -> dict[str, float | None]:
    """What the journal holds: how long each read took, which no second read would repeat."""
    with closing(sqlite3.connect(out.with_name(out.name + ".journal"))) as journal:
        found = journal.execute("SELECT address, ms FROM answered").fetchall()
    return {address.decode(): ms for address, ms in found}


def test_killed_again_and_again_every_answer_is_kept_and_none_is_read_twice(packs, many, out):
    rng = random.Random(7)
    kept: dict[str, float | None] = {}
    for _ in range(4):
        process = _start(many, out)
        _wait_for(process, out, more_bytes=rng.randrange(60_000, 250_000))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        now = _kept(out)
        assert {path: now.get(path, "lost") for path in kept} == kept
        assert len(now) > len(kept)
        kept = now
    assert 0 < len(kept) < 500, "the kills came too late to show anything"
    last = _start(many, out)
    told, _ = last.communicate()
    assert last.returncode == 1, "five of them are no pictures"
    assert "500 samples: 495 read" in told
    rows = pq.read_table(out).to_pylist()
    assert [row["path"] for row in rows] == [f"{number:04}.png" for number in range(500)]
    assert {row["path"]: row["ms"] for row in rows if row["path"] in kept} == kept
    assert sorted(path.name for path in out.parent.glob("results*")) == ["results.parquet"]


def test_stopped_by_a_person_it_says_how_to_go_on(packs, many, out):
    process = _start(many, out)
    _wait_for(process, out, more_bytes=200_000)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command again: it goes on where it stopped" in said
    assert "Traceback" not in said
    kept = _kept(out)
    assert 0 < len(kept) < 500
    assert not out.exists()
    again = _start(many, out)
    again.communicate()
    assert {row["path"] for row in pq.read_table(out).to_pylist()} > set(kept)


def test_a_second_process_on_the_same_table_is_refused(packs, many, out):
    first = _start(many, out)
    _wait_for(first, out, more_bytes=50_000)
    os.kill(first.pid, signal.SIGSTOP)
    second = _start(many, out)
    _, said = second.communicate()
    assert second.returncode == 2
    assert "Another process is writing results.parquet.journal" in said
    os.kill(first.pid, signal.SIGCONT)
    first.communicate()
    assert pq.read_table(out).num_rows == 500


def test_begun_with_another_pack_it_is_not_gone_on_with(packs, many, out):
    process = _start(many, out)
    _wait_for(process, out, more_bytes=50_000)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    other = _start(many, out, pack="other")
    _, said = other.communicate()
    assert other.returncode == 2
    assert "begun with another pack" in said
    assert "--restart" in said


def test_a_sample_that_changed_is_read_again_and_a_new_one_too(packs, many, out):
    process = _start(many, out)
    _wait_for(process, out, more_bytes=200_000)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = _kept(out)
    changed = next(iter(kept))
    (many / changed).write_bytes(cell_png("blue"))
    (many / "new.png").write_bytes(cell_png("green"))
    last = _start(many, out)
    told, _ = last.communicate()
    assert "501 samples" in told
    rows = {row["path"]: row for row in pq.read_table(out).to_pylist()}
    assert (rows[changed]["label"], rows["new.png"]["label"]) == ("blue", "green")
    others = {path: ms for path, ms in kept.items() if path != changed}
    assert {path: rows[path]["ms"] for path in others} == others
