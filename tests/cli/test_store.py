"""`firstread store verify` as an operator runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PUT_IN = """
from firstread.server.start import open_database, open_django
open_django(); open_database()
from firstread.clinic.steps.intake import Incoming, receive
from tests.images_for_tests import cell_png
for number in range(4):
    receive([Incoming(data=cell_png("red", seed=number, side_px=40))], check="leukaemia",
            door="api", accession=str(number), by=None)
"""


@pytest.fixture
def env(tmp_path: Path, shelf: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    given = own | {
        "FIRSTREAD_HOME": str(tmp_path / "home"),
        "FIRSTREAD_PACKS": str(shelf),
        "FIRSTREAD_CHECKS_LEUKAEMIA_PACK": "colour",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([sys.executable, "-c", PUT_IN], env=given, check=True, timeout=120)
    return given


def _verify(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firstread", "store", "verify", *words]
    return subprocess.run(
        command, env=env, check=False, capture_output=True, text=True, timeout=120
    )


def test_what_is_damaged_is_named_with_its_case_and_brought_back(
    env: dict[str, str], tmp_path: Path
) -> None:
    said = _verify(env)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("4 files (")
    samples = tmp_path / "home" / "samples"
    shutil.copytree(samples, tmp_path / "copy" / "samples")
    damaged = next(path for path in sorted(samples.glob("??/*")))
    damaged.write_bytes(b"something else")
    said = _verify(env, "--restart", "--json")
    assert said.returncode == 1
    fault, done = map(json.loads, said.stdout.splitlines())
    assert fault["place"] == f"{damaged.parent.name}/{damaged.name}"
    assert (fault["ails"], len(fault["cases"])) == ("damaged", 1)
    assert (done["files"], done["faults"]) == (4, 1)
    said = _verify(env, "--heal-from", str(tmp_path / "copy"))
    assert said.returncode == 0, said.stderr
    assert "1 brought back" in said.stdout
    assert _verify(env).returncode == 0
