"""Each pack that reads for a check is in the table of results, which only the data can change."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from firstread.packs import open_manifest
from firstread.packs.motifs import reads_for_a_check

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "results.md"
SHELF = sorted(path.parent for path in (ROOT / "packs").glob("*/pack.toml"))
PACKS = [pack for pack in SHELF if reads_for_a_check(open_manifest(pack))]


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_pack_that_reads_for_a_check_is_in_the_results(pack):
    manifest = open_manifest(pack)
    assert f"| `{manifest.name}` {manifest.version} |" in PAGE.read_text(), "run: make results"


def test_without_the_data_the_page_stays_as_it_is(tmp_path):
    before = PAGE.read_bytes()
    run = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "results" / "run.py")],
        env={**os.environ, "FIRSTREAD_DATASETS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    assert "The page stays as it is: the samples of" in run.stdout
    assert "Set FIRSTREAD_DATASETS." in run.stdout
    assert PAGE.read_bytes() == before


def test_every_published_result_names_its_source():
    told = tomllib.loads((ROOT / "benchmarks" / "results" / "published.toml").read_text())["result"]
    assert len(told) > 8
    for each in told:
        assert set(each) == {"check", "figure", "source", "doi", "comparable"}
        assert each["doi"].startswith("10.")
        assert all(each.values())
