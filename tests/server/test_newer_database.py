"""A database that a newer Firstread has changed is refused, with what to do."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from firstread.domain.errors import BadConfiguration
from firstread.server.start import open_as_it_is, open_database, unknown_migrations

NEWER = "0999_what_comes_one_day"


def test_every_start_refuses_a_database_of_a_newer_version(db: None) -> None:
    assert unknown_migrations() == []
    MigrationRecorder(connection).record_applied("clinic", NEWER)
    for start in (open_database, open_as_it_is):
        with pytest.raises(BadConfiguration, match=rf"clinic\.{NEWER}.*Start that version or a l"):
            start()


def test_steps_of_another_programs_tables_are_no_trouble(db: None) -> None:
    MigrationRecorder(connection).record_applied("somebody_elses", "0001_initial")
    assert unknown_migrations() == []


@pytest.mark.parametrize(
    "words",
    [
        ["worker"],
        ["up", "--port", "0"],
        ["token", "tech", "--scope", "cases:read"],
        ["outbox", "list"],
        ["audit", "verify"],
        ["store", "verify"],
        ["doctor"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_touches_it(words: list[str], newer: dict[str, str], shelf: Path) -> None:
    done = _firstread(newer, *words)
    assert done.returncode in (1, 2), done.stdout
    said = done.stdout + done.stderr
    assert NEWER in said
    assert "restore the backup" in said
    assert "Traceback" not in said


END = """
from firstread.server.start import open_django
open_django()
import threading
from firstread.server.worker import end_if_newer
end_if_newer(threading.Event())
"""


def test_a_process_that_still_runs_when_the_newer_version_comes_ends(newer: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", END], env=newer, check=False, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGTERM
    assert f"changed the database (clinic.{NEWER}): this process ends" in done.stderr


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory, shelf: Path) -> dict[str, str]:
    """The environment of a site whose database is of a newer version."""
    home = tmp_path_factory.mktemp("newer")
    own = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    env = own | {"FIRSTREAD_HOME": str(home), "FIRSTREAD_PACKS": str(shelf)}
    made = "from firstread.server.start import *; open_django(); open_database()"
    subprocess.run([sys.executable, "-c", made], env=env, check=True, timeout=120)
    with sqlite3.connect(home / "firstread.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('clinic', ?, '2031-01-01')",
            [NEWER],
        )
    database.close()
    return env


def _firstread(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firstread", *words]
    return subprocess.run(command, env=env, check=False, capture_output=True, text=True, timeout=60)
