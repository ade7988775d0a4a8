"""Web and worker are killed at random while samples come in by three doors."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.images_for_tests import cell_png
from tests.postgresql_for_tests import missing_postgresql, start_postgresql
from tests.smtp_for_tests import Mailbox, free_port, start_smtp

API, FOLDER, PAGE = 200, 200, 100
KILLS = 10
ANSWERS_WITHIN_S = 150.0
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


@dataclass(kw_only=True)
class Site:
    """A clinic of its own: processes, doors, database."""

    home: Path
    port: int
    env: dict[str, str]
    query: Callable[[str], list[tuple[Any, ...]]]
    token: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, command: str) -> None:
        with (self.home / f"{command}.log").open("ab") as log:
            self.processes[command] = subprocess.Popen(
                [sys.executable, "-m", "firstread", command], env=self.env, stdout=log, stderr=log
            )

    def kill(self, command: str) -> None:
        process = self.processes.pop(command)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=30)


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path, shelf: Path) -> Iterator[Site]:
    server = None
    if request.param == "postgresql":
        if reason := missing_postgresql():
            pytest.skip(reason)
        server = start_postgresql()
        url, query = server.url, _postgresql_query(server.url)
    else:
        url, query = f"sqlite:///{tmp_path / 'clinic.sqlite3'}", _sqlite_query(tmp_path)
    (tmp_path / "firstread.toml").write_text('[checks.leukaemia]\npack = "colour"\n')
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    env |= {
        "FIRSTREAD_HOME": str(tmp_path),
        "FIRSTREAD_PACKS": str(shelf),
        "FIRSTREAD_DATABASE_URL": url,
        "FIRSTREAD_PORT": str(port),
        "FIRSTREAD_INBOX_FOLDER": str(tmp_path / "inbox"),
        "FIRSTREAD_READING_LEASE_S": "2",
        # Here it is not the sample that kills its reader.
        "FIRSTREAD_READING_TRIES": "20",
    }
    yield Site(home=tmp_path, port=port, env=env, query=query)
    if server is not None:
        server.stop()


def test_nothing_is_lost_and_nothing_counts_twice(site: Site) -> None:
    mailbox = Mailbox()
    smtp = start_smtp(mailbox)
    site.env |= {
        "FIRSTREAD_MAIL_BACKEND": "smtp",
        "FIRSTREAD_MAIL_HOST": "127.0.0.1",
        "FIRSTREAD_MAIL_PORT": str(smtp.port),
        "FIRSTREAD_MAIL_TIMEOUT_S": "1",
    }
    try:
        _run_the_day(site)
        _wait_for(lambda: _settled(site, mailbox), what="every mail delivered", site=site)
    finally:
        site.stop()
        smtp.stop()
    samples = API + FOLDER + PAGE
    one = "SELECT count(*) FROM "
    assert site.query(one + "clinic_case WHERE state = 'read'") == [(samples,)]
    assert site.query(one + "clinic_case") == [(samples,)]
    assert site.query("SELECT count(*), count(DISTINCT sample_id) FROM clinic_casesample") == [
        (samples, samples)
    ]
    assert site.query("SELECT count(*), count(DISTINCT case_sample_id) FROM clinic_readrow") == [
        (samples, samples)
    ]
    mails = "SELECT count(*), count(DISTINCT key), sum(CASE state WHEN 'sent' THEN 1 END)"
    assert site.query(f"{mails} FROM clinic_outgoing") == [(2 * samples,) * 3]
    # Between the server's "accepted" and our writing it down a kill may fall: then the same
    # mail, with the same ID, is handed over again, and a mailbox knows it by that.
    assert len(set(mailbox.ids)) == 2 * samples
    assert len(mailbox.ids) - 2 * samples <= KILLS
    assert not list((site.home / "inbox").rglob("*.why.txt"))
    verified = _firstread(site, "audit", "verify")
    assert verified.returncode == 0, verified.stderr


def _run_the_day(site: Site) -> None:
    site.token = _python(site, SETUP).strip()
    for command in ("up", "worker"):
        site.start(command)
    errors: list[BaseException] = []
    doors = [
        threading.Thread(target=_guarded, args=(send, site, errors), daemon=True)
        for send in (_by_api, _by_folder, _by_page)
    ]
    for door in doors:
        door.start()
    chance = random.Random(7)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.4, 4.0))
        command = chance.choice(["up", "up", "worker"])
        site.kill(command)
        site.start(command)
    for door in doors:
        door.join(timeout=ANSWERS_WITHIN_S)
        assert not door.is_alive(), "a door did not get its samples in"
    assert errors == []


def _guarded(send: Callable[[Site], None], site: Site, errors: list[BaseException]) -> None:
    try:
        send(site)
    except BaseException as error:
        errors.append(error)
        raise


def _by_api(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token}"}
    with httpx.Client(base_url=site.url, headers=headers, timeout=10) as client:
        for number in range(API):
            data = cell_png("red", seed=number, side_px=40)
            _insist(
                lambda data=data, number=number: client.post(
                    "/api/v1/cases",
                    data={"check": "leukaemia", "accession": f"A{number}"},
                    files={"sample": (f"{number}.png", data, "image/png")},
                    headers={"Idempotency-Key": f"key-{number}"},
                ),
                good=(200, 201),
            )


def _by_folder(site: Site) -> None:
    inbox = site.home / "inbox" / "leukaemia"
    inbox.mkdir(parents=True, exist_ok=True)
    for number in range(FOLDER):
        (inbox / f"F{number}_lab.png").write_bytes(cell_png("green", seed=number, side_px=40))
        time.sleep(0.03)


def _by_page(site: Site) -> None:
    with httpx.Client(base_url=site.url, timeout=10) as client:
        _insist(lambda: client.get("/sign-in"), good=(200,))
        _insist(lambda: _sign_in(client), good=(302,))
        for number in range(PAGE):
            data = cell_png("blue", seed=number, side_px=40)
            _insist(
                lambda data=data, number=number: client.post(
                    "/put-in",
                    data={
                        "check": "leukaemia",
                        "accession": f"P{number}",
                        "csrfmiddlewaretoken": client.cookies["csrftoken"],
                    },
                    files={"sample": (f"{number}.png", data, "image/png")},
                    headers={"Accept": "application/json", "Referer": f"{site.url}/put-in"},
                ),
                good=(200,),
            )


def _sign_in(client: httpx.Client) -> httpx.Response:
    token = client.cookies["csrftoken"]
    return client.post(
        "/sign-in",
        data={"username": "tech", "password": PASSWORD, "csrfmiddlewaretoken": token},
        headers={"Referer": str(client.base_url)},
    )


def _insist(send: Callable[[], httpx.Response], *, good: tuple[int, ...]) -> None:
    """Send until it was taken, as a program and a person would who see that the server is away."""
    end = time.monotonic() + ANSWERS_WITHIN_S
    said: object = None
    while time.monotonic() < end:
        try:
            response = send()
            if response.status_code in good:
                return
            said = f"{response.status_code} {response.text[:500]}"
            if response.status_code < 500 and response.status_code not in (409, 429):
                break
        except httpx.TransportError as error:
            said = error
        time.sleep(0.1)
    raise AssertionError(f"never taken: {said}")


def _settled(site: Site, mailbox: Mailbox) -> bool:
    if len(set(mailbox.ids)) < 2 * (API + FOLDER + PAGE):
        return False
    waiting = site.query("SELECT count(*) FROM clinic_outgoing WHERE state <> 'sent'")
    return waiting == [(0,)]


def _wait_for(true: Callable[[], bool], *, what: str, site: Site) -> None:
    end = time.monotonic() + ANSWERS_WITHIN_S
    while not true():
        if time.monotonic() > end:
            states = site.query("SELECT state, count(*) FROM clinic_case GROUP BY state")
            mails = site.query("SELECT state, count(*) FROM clinic_outgoing GROUP BY state")
            raise AssertionError(f"not {what}: {states}, {mails}")
        time.sleep(0.3)


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


def _python(site: Site, code: str) -> str:
    return _run(site, "-c", code, check=True).stdout


def _firstread(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    return _run(site, "-m", "firstread", *words)


def _run(site: Site, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(
        command, env=site.env, capture_output=True, text=True, timeout=60, check=check
    )
