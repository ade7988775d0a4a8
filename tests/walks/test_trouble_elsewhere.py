"""Packs, stores and machines fail; the cases wait, say for what, and are read once it is mended."""

from __future__ import annotations

import hashlib
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images_for_tests import cell_png
from tests.site_for_tests import SETUP, Site, site_on

CASES = 8
STATES = "SELECT state, count(*) FROM clinic_case GROUP BY state ORDER BY state"
READ_CASES = "SELECT count(*) FROM clinic_case WHERE state = 'read'"
TOLD = "SELECT count(DISTINCT case_id) FROM clinic_auditrow WHERE action = 'waits'"

PUT_IN = """
from firstread.server.start import open_django
open_django()
from firstread.clinic.steps.intake import Incoming, receive
from tests.images_for_tests import cell_png
for number in range({first}, {last}):
    receive([Incoming(data=cell_png("red", seed=number, side_px=40))], check="leukaemia",
            door="api", accession=str(number), by=None)
"""
AFFECTED = """
import firstread.runtime.read as module
_read = module.PackReader.read
def read(self, sample, **more):
    import hashlib, os, signal, time
    sha256 = hashlib.sha256(sample).hexdigest() if isinstance(sample, bytes) else ""
    if sha256 == os.environ.get("KILLER"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if sha256 == os.environ.get("SLOW"):
        time.sleep(float(os.environ["SLOW_S"]))
    return _read(self, sample, **more)
module.PackReader.read = read
"""
"""Has a sample stop whatever reads it, or take long."""


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, shelf: Path) -> Iterator[Site]:
    own = tmp_path / "shelf"
    shutil.copytree(shelf, own)
    with site_on(request.param, home=tmp_path, shelf=own) as site:
        site.env["PYTHONPATH"] += f":{Path(__file__).parents[2]}"
        site.python(SETUP)
        yield site


def _put_in(site: Site, *, first: int = 0, last: int = CASES) -> None:
    site.python(PUT_IN.format(first=first, last=last))


def _read_cases(site: Site, count: int) -> None:
    site.wait_for(
        lambda: site.query(READ_CASES) == [(count,)], what=f"{count} cases read", within_s=90
    )


def test_a_pack_damaged_for_one_of_two_workers_makes_nothing_unfit(
    site: Site, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(tmp_path / "shelf", damaged)
    (damaged / "colour" / "model.onnx").write_bytes(b"worm")
    site.start("worker", name="sick", FIRSTREAD_PACKS=str(damaged))
    _put_in(site)
    site.wait_for(lambda: site.query(TOLD) == [(CASES,)], what="every case told why it waits")
    assert site.query(STATES) == [("received", CASES)]
    site.start("worker", name="well")
    _put_in(site, first=CASES, last=2 * CASES)
    _read_cases(site, 2 * CASES)
    site.stop()
    assert site.query("SELECT count(*) FROM clinic_workerrow") == [(0,)]


def test_a_pack_that_is_mended_is_read_with_by_itself(site: Site, tmp_path: Path) -> None:
    model = tmp_path / "shelf" / "colour" / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:-1])
    site.start("worker")
    _put_in(site)
    site.wait_for(lambda: site.query(TOLD) == [(CASES,)], what="every case told why it waits")
    model.write_bytes(whole)
    _read_cases(site, CASES)
    site.stop()


def test_a_store_that_is_away_makes_nothing_unfit(site: Site, tmp_path: Path) -> None:
    _put_in(site)
    samples = tmp_path / "samples"
    samples.rename(tmp_path / "elsewhere")
    samples.mkdir()
    site.start("worker")
    site.wait_for(lambda: site.query(TOLD) == [(CASES,)], what="every case told why it waits")
    assert site.query(STATES) == [("received", CASES)]
    samples.rmdir()
    (tmp_path / "elsewhere").rename(samples)
    _read_cases(site, CASES)
    site.stop()


def test_a_sample_that_kills_its_reader_is_unfit_and_those_beside_it_are_read(site: Site) -> None:
    killer = hashlib.sha256(cell_png("red", seed=3, side_px=40)).hexdigest()
    with (site.home / "python" / "sitecustomize.py").open("a") as file:
        file.write(AFFECTED)
    site.env["KILLER"] = killer
    _put_in(site)
    deaths = 0
    site.start("worker", "--threads", "3")
    end = time.monotonic() + 120
    while site.query(STATES) != [("read", CASES - 1), ("unfit", 1)]:
        assert time.monotonic() < end, (site.query(STATES), site.log("worker"))
        if site.processes["worker"].poll() is not None:
            deaths += 1
            site.start("worker", "--threads", "3")
        time.sleep(0.2)
    site.stop()
    assert deaths == 1
    (reason,) = site.query("SELECT unfit_reason FROM clinic_case WHERE state = 'unfit'")
    assert "stopped the reader 3 times" in reason[0]


def test_a_worker_that_is_asked_to_end_lets_go_of_what_takes_too_long(site: Site) -> None:
    slow = hashlib.sha256(cell_png("red", seed=0, side_px=40)).hexdigest()
    with (site.home / "python" / "sitecustomize.py").open("a") as file:
        file.write(AFFECTED)
    site.env |= {"SLOW": slow, "FIRSTREAD_READING_LEASE_S": "600"}
    _put_in(site, last=1)
    site.start("worker", SLOW_S="600")
    held = "SELECT count(*) FROM clinic_case WHERE held_by IS NOT NULL"
    site.wait_for(lambda: site.query(held) == [(1,)], what="it being read")
    process = site.processes.pop("worker")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert time.monotonic() - began < 20
    assert site.query(held) == [(0,)]
    assert site.query("SELECT attempts FROM clinic_case") == [(0,)]
    site.start("worker", SLOW_S="0")
    _read_cases(site, 1)
    site.stop()


def test_a_read_that_outlasts_its_lease_many_times_is_made_once(site: Site) -> None:
    slow = hashlib.sha256(cell_png("red", seed=0, side_px=40)).hexdigest()
    with (site.home / "python" / "sitecustomize.py").open("a") as file:
        file.write(AFFECTED)
    site.env |= {"SLOW": slow, "SLOW_S": "9", "FIRSTREAD_READING_LEASE_S": "1"}
    _put_in(site, last=1)
    for name in ("one", "two", "three"):
        site.start("worker", name=name)
    most = 0
    end = time.monotonic() + 60
    while site.query(READ_CASES) != [(1,)]:
        assert time.monotonic() < end
        most = max(most, site.query("SELECT attempts FROM clinic_case")[0][0])
        time.sleep(0.1)
    site.stop()
    assert most == 1
