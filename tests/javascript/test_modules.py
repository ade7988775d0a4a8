"""What the pages' modules work out for themselves, each asked by Node's own test runner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NODE = Path(sys.executable).with_name("node")
HERE = Path(__file__).parent


@pytest.mark.parametrize("asked", sorted(each.name for each in HERE.glob("*.test.mjs")))
def test_a_module_says_what_it_should(asked: str) -> None:
    said = subprocess.run(
        [str(NODE), "--test", "--test-reporter=spec", str(HERE / asked)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "tests 0" not in said.stdout  # a file without a test would pass
