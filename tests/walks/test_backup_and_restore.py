"""A site is backed up while it works, and brought back: nothing is missing, nobody told twice."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site_for_tests import SETUP, Site, site_on, twin_of
from tests.smtp_for_tests import Mailbox, mail_through, start_smtp

READ = "SELECT count(*) FROM clinic_case WHERE state = 'read'"
PUT_IN = """
from firstread.server.start import open_django
open_django()
from firstread.clinic.steps.intake import Incoming, receive
from tests.images_for_tests import cell_png
for number in range({first}, {last}):
    receive([Incoming(data=cell_png("red", seed=number, side_px=40))], check="leukaemia",
            door="api", accession=str(number), by=None)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, shelf: Path) -> Iterator[Site]:
    home = tmp_path / "site"
    home.mkdir()
    with site_on(request.param, home=home, shelf=shelf) as site:
        site.env["PYTHONPATH"] += f":{Path(__file__).parents[2]}"
        yield site


def _put_in(site: Site, first: int, last: int) -> None:
    site.python(PUT_IN.format(first=first, last=last))


def test_what_is_brought_back_is_whole_and_tells_nobody_twice(site: Site, tmp_path: Path) -> None:
    mailbox = Mailbox()
    smtp = start_smtp(mailbox)
    site.env |= mail_through(smtp)
    copies = tmp_path / "copies"
    twin = twin_of(site, tmp_path / "twin")
    try:
        site.python(SETUP)
        site.start("up")
        _put_in(site, 0, 4)
        coming = threading.Thread(target=_put_in, args=(site, 4, 16))
        coming.start()
        while coming.is_alive():
            said = site.firstread("backup", str(copies))
            assert said.returncode == 0, said.stderr
            assert "secret key is not inside" in said.stderr
        coming.join()
        site.wait_for(lambda: len(mailbox.ids) == 2 * 16, what="all mailed")
        site.stop()
        said = site.firstread("backup", "--verify", str(copies))
        assert said.returncode == 0, said.stdout
        assert "whole." in said.stdout

        # One case waits for its read while the last copy is made, and is read and told of after it.
        _put_in(site, 16, 17)
        said = site.firstread("backup", str(copies), "--keep", "2", "--json")
        assert json.loads(said.stdout)["fresh"] <= 13
        assert len([each for each in copies.iterdir() if (each / "MANIFEST.json").is_file()]) == 2
        site.start("up")
        site.wait_for(lambda: len(mailbox.ids) == 2 * 17, what="told of the last")
        told = site.query("SELECT count(*) FROM clinic_auditrow")[0][0]
        site.kill("up")

        said = twin.firstread("restore", str(copies))
        assert said.returncode == 1
        assert "is neither here nor in the backup" in said.stderr
        (twin.home / "secret-key").write_text("another key, which has more than 32 characters")
        said = twin.firstread("restore", str(copies))
        assert said.returncode == 1
        assert "is neither here nor in the backup" in said.stderr
        shutil.copy(site.home / "secret-key", twin.home / "secret-key")
        said = twin.firstread("restore", str(copies))
        assert said.returncode == 0, said.stderr
        assert "17 cases, 17 samples" in said.stdout
        assert "Packs brought back: colour" in said.stdout
        assert "The audit trail adds up" in said.stdout
        assert "Nothing leaves" in said.stderr
        assert (twin.home / "firstread.toml").read_text() == (
            site.home / "firstread.toml"
        ).read_text()
        assert twin.firstread("store", "verify").returncode == 0
        assert twin.firstread("restore", str(copies)).returncode == 1  # nothing is overwritten

        twin.start("up")
        twin.wait_for(lambda: twin.query(READ) == [(17,)], what="the last one read again")
        _put_in(twin, 17, 18)
        twin.wait_for(lambda: twin.query(READ) == [(18,)], what="a new one read")
        doctor = twin.firstread("doctor").stdout
        assert "outbox: This site was restored" in doctor
        time.sleep(1)
        assert len(mailbox.ids) == 2 * 17
        assert twin.firstread("outbox", "release").returncode == 0
        twin.wait_for(lambda: len(mailbox.ids) == 2 * 18, what="the new one told of")
        time.sleep(1)
        assert len(mailbox.ids) == len(set(mailbox.ids)) == 2 * 18
        kept = twin.query("SELECT count(*) FROM clinic_outgoing WHERE state = 'given_up'")
        assert kept == [(2,)]
        assert twin.query("SELECT count(*) FROM clinic_auditrow")[0][0] > told - 10
        assert twin.firstread("audit", "verify").returncode == 0
    finally:
        for process in twin.processes.values():
            process.kill()
            process.wait()
        smtp.stop()


KILLED = """
import os, signal, sys
from firstread.clinic.keeping import copies
copied, left = copies.copied, [int(os.environ["KILL_AFTER"])]
def counted(*words, **more):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return copied(*words, **more)
copies.copied = counted
from firstread.server import start
opened = start.open_database
def killed(restoring=False):
    opened(restoring=restoring)
    if restoring:
        os.kill(os.getpid(), signal.SIGKILL)
start.open_database = killed
from firstread.cli.main import main
main()
"""


def _killed(site: Site, *words: str, after: int) -> None:
    """The command dies while it copies a sample, or, where it restores, with the database there."""
    command = [sys.executable, "-c", KILLED, *words]
    done = subprocess.run(command, env=site.env | {"KILL_AFTER": str(after)}, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_a_killed_back_up_or_restore_leaves_nothing_that_is_taken_for_whole(
    site: Site, tmp_path: Path
) -> None:
    site.python(SETUP)
    _put_in(site, 0, 12)
    copies = tmp_path / "copies"
    for after in (0, 5):
        _killed(site, "backup", str(copies), after=after)
        said = site.firstread("restore", str(copies))
        assert "no whole backup" in said.stderr
        assert site.firstread("backup", "--verify", str(copies)).returncode == 1
    assert site.firstread("backup", str(copies), "--with-secret-key").returncode == 0
    assert not list(copies.glob(".unfinished-*"))
    assert site.firstread("backup", "--verify", str(copies)).returncode == 0

    twin = twin_of(site, tmp_path / "twin")
    for after in (5, 99):
        _killed(twin, "restore", str(copies), after=after)
        said = twin.firstread("audit", "verify")
        assert said.returncode == 2
        assert "Call 'firstread restore' again" in said.stderr
    said = twin.firstread("restore", str(copies))
    assert said.returncode == 0, said.stderr
    assert twin.query("SELECT count(*) FROM clinic_case") == [(12,)]
    assert twin.query("SELECT count(*) FROM clinic_restored") == [(1,)]
    assert twin.firstread("store", "verify").returncode == 0
    assert twin.firstread("audit", "verify").returncode == 0
    assert (twin.home / "secret-key").stat().st_mode & 0o077 == 0
