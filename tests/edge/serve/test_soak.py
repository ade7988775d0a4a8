"""Good, broken and hostile requests mixed, for half a minute; `benchmarks/soak.py` takes longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving_for_tests import environment

SOAK = Path(__file__).resolve().parents[3] / "benchmarks" / "soak.py"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_every_bad_request_is_answered_with_its_reason_and_nothing_grows() -> None:
    done = subprocess.run(
        [sys.executable, str(SOAK), "--minutes", "0.5"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 faults" in done.stdout
