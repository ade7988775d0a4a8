"""The clinic's tests once more, with PostgreSQL below instead of SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgresql_for_tests import missing_postgresql

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["tests/clinic", "tests/api", "tests/doors", "tests/walks"]
ONCE_ANYWAY = [
    f"tests/walks/test_{name}.py"
    for name in (
        "kill",
        "clocks_apart",
        "trouble_elsewhere",
        "backup_and_restore",
        "erase",
        "ready",
    )
]
"""These start the databases that they need by themselves."""


@pytest.mark.services
@pytest.mark.timeout(900)
def test_the_same_tests_pass_on_postgresql() -> None:
    if reason := missing_postgresql():
        pytest.skip(reason)
    if os.environ.get("FIRSTREAD_TEST_DATABASE") == "postgresql":
        pytest.skip("this whole run is on PostgreSQL already")
    rooms = [room for room in ROOMS if (ROOT / room).is_dir()]
    ignored = [f"--ignore={path}" for path in ONCE_ANYWAY]
    # pytest-django sets Django up before the tests' settings where this variable names a module.
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ignored, *rooms],
        cwd=ROOT,
        env=env | {"FIRSTREAD_TEST_DATABASE": "postgresql"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
