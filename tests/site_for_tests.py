"""A clinic of real processes with a database of its own, for tests that break things."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.postgresql_for_tests import Postgresql, missing_postgresql, start_postgresql
from tests.smtp_for_tests import free_port

PASSWORD = "a password for tests"

SETUP = f"""
from firstread.server.start import open_django, open_database
open_django(); open_database()
from firstread.clinic.models import Check, Person, Reader
from firstread.clinic.accounts.tokens import issue
Check.objects.exclude(name="leukaemia").delete()
check = Check.objects.get(name="leukaemia")
assert check.pack == "colour", check.pack
for name in ("ana", "bo"):
    person = Person.objects.create_user(name, name + "@example.org", role="specialist")
    Reader.objects.create(check_row=check, person=person)
tech = Person.objects.create_user("tech", "", "{PASSWORD}", role="technician")
print(issue(tech, scopes=["cases:write"])[0])
"""


CLOCK_AHEAD = """
import datetime, os
if ahead := float(os.environ.get("CLOCK_AHEAD_S", "0")):
    import time_machine
    there = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ahead)
    time_machine.travel(there, tick=True).start()
"""
"""A `sitecustomize` by which a process has a clock of its own."""


@dataclass(kw_only=True)
class Site:
    """A clinic of its own: processes, doors, database."""

    home: Path
    port: int
    env: dict[str, str]
    query: Callable[[str], list[tuple[Any, ...]]]
    token: str = ""
    server: Postgresql | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, command: str, *words: str, name: str = "", **env: str) -> None:
        """Start `firstread COMMAND`; several of one command have names."""
        with (self.home / f"{name or command}.log").open("ab") as log:
            self.processes[name or command] = subprocess.Popen(
                [sys.executable, "-m", "firstread", command, *words],
                env=self.env | env,
                stdout=log,
                stderr=log,
            )

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=30)
        self.processes.clear()

    def python(self, code: str) -> str:
        """What the code prints, run beside the site's processes."""
        return self._run("-c", code, check=True).stdout

    def firstread(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run("-m", "firstread", *words)

    def wait_for(self, true: Callable[[], bool], *, what: str, within_s: float = 60.0) -> None:
        end = time.monotonic() + within_s
        while not true():
            if time.monotonic() > end:
                states = self.query("SELECT state, count(*) FROM clinic_case GROUP BY state")
                mails = self.query("SELECT state, count(*) FROM clinic_outgoing GROUP BY state")
                raise AssertionError(f"not {what}: {states}, {mails}")
            time.sleep(0.1)

    def _run(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *words],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done


@contextmanager
def site_on(
    database: str, *, home: Path, shelf: Path, database_folder: Path | None = None
) -> Iterator[Site]:
    """A site on `sqlite` or `postgresql`; its processes are stopped in any case."""
    server = None
    if database == "postgresql":
        if reason := missing_postgresql():
            pytest.skip(reason)
        server = start_postgresql(within=database_folder)
        url, query = server.url, _postgresql_query(server.url)
    else:
        url, query = f"sqlite:///{home / 'clinic.sqlite3'}", _sqlite_query(home)
    (home / "firstread.toml").write_text('[checks.leukaemia]\npack = "colour"\n')
    (home / "python").mkdir()
    (home / "python" / "sitecustomize.py").write_text(CLOCK_AHEAD)
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    env |= {
        "FIRSTREAD_HOME": str(home),
        "FIRSTREAD_PACKS": str(shelf),
        "FIRSTREAD_DATABASE_URL": url,
        "FIRSTREAD_PORT": str(port),
        "FIRSTREAD_INBOX_FOLDER": str(home / "inbox"),
        "FIRSTREAD_READING_LEASE_S": "2",
        "PYTHONPATH": str(home / "python"),
    }
    site = Site(home=home, port=port, env=env, query=query, server=server)
    try:
        yield site
    finally:
        for process in site.processes.values():
            process.kill()
            process.wait()
        if server is not None:
            server.stop()


def twin_of(site: Site, home: Path) -> Site:
    """Another home and database, both empty, on the same machine."""
    home.mkdir()
    url = site.env["FIRSTREAD_DATABASE_URL"]
    if url.startswith("postgresql"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE twin")
        url = url.rpartition("/")[0] + "/twin"
        query = _postgresql_query(url)
    else:
        url, query = f"sqlite:///{home / 'clinic.sqlite3'}", _sqlite_query(home)
    env = site.env | {
        "FIRSTREAD_HOME": str(home),
        "FIRSTREAD_PACKS": str(home / "packs"),
        "FIRSTREAD_DATABASE_URL": url,
        "FIRSTREAD_PORT": str(free_port()),
        "FIRSTREAD_INBOX_FOLDER": str(home / "inbox"),
    }
    return replace(site, home=home, env=env, query=query, processes={})


def _sqlite_query(home: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    def query(sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(home / "clinic.sqlite3", timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return query


def _postgresql_query(url: str) -> Callable[[str], list[tuple[Any, ...]]]:
    def query(sql: str) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(url) as connection:
            return connection.execute(sql).fetchall()

    return query
