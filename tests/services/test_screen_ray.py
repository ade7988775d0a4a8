"""The Ray engine reads the same archive on a real local cluster, with the same journal."""

from __future__ import annotations

import os
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
from tests.packs_for_tests import make_pack

pytest.importorskip("ray")
pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]
WORDS = ["--pack", "colour", "--engine", "ray", "--threads", "2"]


def _start(source: Path, out: Path, packs: Path) -> subprocess.Popen[str]:
    words = ["screen", str(source), "--out", str(out), *WORDS]
    return subprocess.Popen(
        [sys.executable, "-m", "firstread", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"FIRSTREAD_PACKS": str(packs)},
    )


def test_a_local_cluster_reads_it_whole_and_killed_it_goes_on(tmp_path: Path) -> None:
    make_pack(tmp_path / "packs")
    source, out = tmp_path / "samples", tmp_path / "results.parquet"
    source.mkdir()
    cells = [cell_png("red", seed=seed) for seed in range(10)]
    for number in range(3000):
        data = b"no picture" if number == 7 else cells[number % 10]
        (source / f"{number:04}.png").write_bytes(data + number.to_bytes(4, "little"))

    process = _start(source, out, tmp_path / "packs")
    log = out.with_name(out.name + ".journal-wal")
    while process.poll() is None and (not log.exists() or log.stat().st_size < 200_000):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with closing(sqlite3.connect(out.with_name(out.name + ".journal"))) as journal:
        kept = dict(journal.execute("SELECT address, ms FROM answered"))
    assert 0 < len(kept) < 3000, "the kill came too late to show anything"

    last = _start(source, out, tmp_path / "packs")
    told, said = last.communicate(timeout=500)
    assert last.returncode == 1, said
    assert "3000 samples: 2999 read" in told
    rows = {row["path"]: row for row in pq.read_table(out).to_pylist()}
    assert len(rows) == 3000
    assert {path: rows[path.decode()]["ms"] for path in kept} == kept
    assert "not a picture" in rows["0007.png"]["error"]
    assert {row["label"] for row in rows.values()} == {"red", None}
