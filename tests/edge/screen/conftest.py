"""The packs and the command that the tests of screening share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from firstread.cli.main import main
from tests.packs_for_tests import make_pack

Screen = Callable[..., Result]


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "packs"
    make_pack(folder)
    make_pack(folder, name="other", gain=4.0)
    make_pack(folder, kind="measurements")
    monkeypatch.setenv("FIRSTREAD_PACKS", str(folder))
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results.parquet"


@pytest.fixture
def screen(packs: Path, out: Path) -> Screen:
    """Runs the command on a source, with the pack `colour` unless another is named."""

    def run(source: str | Path, *words: str, pack: str = "colour") -> Result:
        given = ["screen", str(source), "--pack", pack, "--out", str(out), "--threads", "2"]
        return CliRunner().invoke(main, [*given, *words], catch_exceptions=False)

    return run


@pytest.fixture
def rows(out: Path) -> Callable[[], list[dict[str, Any]]]:
    """The rows of the table."""
    return lambda: pq.read_table(out).to_pylist()
