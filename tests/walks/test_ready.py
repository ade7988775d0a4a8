"""A probe beside a database that hangs: an answer in time, and 200 again once it goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import httpx

from tests.site_for_tests import Site, site_on


def _of_the_server(site: Site) -> list[int]:
    """The processes of PostgreSQL: the server and those of its connections."""
    ((folder,),) = site.query("SHOW data_directory")
    parent = int((Path(str(folder)) / "postmaster.pid").read_text().split()[0])
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=True
    )
    return [parent, *map(int, children.stdout.split())]


def _told(pid: int, what: signal.Signals) -> bool:
    """Send the signal; False where the process, of a connection that was closed, has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, what)
        return True
    return False


def test_a_database_that_hangs_is_said_in_time_and_nothing_piles_up(
    tmp_path: Path, shelf: Path
) -> None:
    with site_on("postgresql", home=tmp_path, shelf=shelf) as site:
        site.start("up")

        def status() -> int:
            try:
                return httpx.get(f"{site.url}/readyz", timeout=15).status_code
            except httpx.ConnectError:
                return 0

        site.wait_for(lambda: status() == 200, what="ready")
        stopped = [pid for pid in _of_the_server(site) if _told(pid, signal.SIGSTOP)]
        try:
            site.wait_for(lambda: status() == 503, what="told that the database hangs")
            for _ in range(3):
                told = httpx.get(f"{site.url}/readyz", timeout=15)
                assert told.status_code == 503
                assert re.search("does not answer in time|cannot be looked at", told.text)
                assert httpx.get(f"{site.url}/healthz", timeout=15).status_code == 200
        finally:
            for pid in stopped:
                _told(pid, signal.SIGCONT)
        site.wait_for(lambda: status() == 200, what="ready again")
