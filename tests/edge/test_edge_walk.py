"""An edge reads while the clinic is away, and both are killed while it sends: each sample once."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.images_for_tests import cell_png
from tests.smtp_for_tests import free_port

AWAY, BACK = 30, 60
"""How many samples come in while the clinic is away, and while it and the edge are killed."""
KILLS = 8
ANSWERS_WITHIN_S = 120.0

SETUP = """
from firstread.server.start import open_django, open_database
open_django(); open_database()
from firstread.clinic.models import Check, Person
from firstread.clinic.accounts.tokens import issue
Check.objects.exclude(name="leukaemia").delete()
assert Check.objects.get(name="leukaemia").pack == "colour"
tech = Person.objects.create_user("tech", "", "x", role="technician")
print(issue(tech, scopes=["cases:write"])[0])
"""


@dataclass(kw_only=True)
class Site:
    """A clinic and an edge, each a process."""

    folder: Path
    port: int
    env: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    def start(self, name: str) -> None:
        words = {
            "clinic": ["up"],
            "edge": ["edge", "--clinic", f"http://127.0.0.1:{self.port}", "--pack", "colour"],
        }[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "firstread", *words], env=self.env, stdout=log, stderr=log
            )

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        process = self.processes.pop(name)
        process.send_signal(how)
        return process.wait(timeout=60)

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        words = ["-m", "firstread", "edge", "status", "--spool", str(self.spool), "--json"]
        found: dict[str, Any] = json.loads(self.run(*words))
        return found

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.folder / "firstread.sqlite3", timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture
def site(tmp_path: Path, shelf: Path) -> Iterator[Site]:
    (tmp_path / "firstread.toml").write_text('[checks.leukaemia]\npack = "colour"\n')
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTREAD_")}
    env |= {
        "FIRSTREAD_HOME": str(tmp_path),
        "FIRSTREAD_PACKS": str(shelf),
        "FIRSTREAD_PORT": str(port),
        "FIRSTREAD_READING_LEASE_S": "3",
        "FIRSTREAD_READING_TIMEOUT_S": "0.5",
        "FIRSTREAD_READING_TRIES": "20",
        "FIRSTREAD_EDGE_INBOX": str(tmp_path / "inbox"),
        "FIRSTREAD_EDGE_SPOOL": str(tmp_path / "spool"),
        "FIRSTREAD_EDGE_NAME": "ward-3",
    }
    made = Site(folder=tmp_path, port=port, env=env)
    token = tmp_path / "token"
    token.write_text(made.run("-c", SETUP))
    env["FIRSTREAD_TOKEN_FILE"] = str(token)
    yield made
    for process in made.processes.values():
        process.terminate()
    for process in made.processes.values():
        process.wait(timeout=60)


def put(site: Site, number: int) -> None:
    """As a microscope saves a file: under another name first, then whole."""
    folder = site.inbox / "leukaemia"
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f"{number}.part"
    half.write_bytes(cell_png(("red", "green", "blue")[number % 3], seed=number, side_px=40))
    half.rename(folder / f"{number // 3}_{number}.png")


def wait_for(true: Callable[[], bool], *, what: str, site: Site) -> None:
    end = time.monotonic() + ANSWERS_WITHIN_S
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not {what}: {site.status()}\n{site.log('edge')[-3000:]}")
        time.sleep(0.3)


@pytest.mark.timeout(600)
def test_read_while_away_and_killed_while_sending_each_sample_is_in_the_clinic_once(
    site: Site,
) -> None:
    site.start("edge")
    for number in range(AWAY):
        put(site, number)
    wait_for(
        lambda: site.spool.exists() and site.status()["waiting"] == AWAY, what="read", site=site
    )
    assert "does not answer" in site.status()["trouble"]
    site.start("clinic")

    coming = threading.Thread(target=_keep_coming, args=(site,), daemon=True)
    coming.start()
    chance = random.Random(11)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.5, 3.5))
        name = chance.choice(["edge", "clinic"])
        site.kill(name)
        site.start(name)
    coming.join(timeout=ANSWERS_WITHIN_S)
    assert not coming.is_alive()

    samples = AWAY + BACK
    wait_for(lambda: _all_read(site, samples), what="everything in the clinic", site=site)
    one = "SELECT count(*), count(DISTINCT sample_id) FROM clinic_casesample"
    assert site.query(one) == [(samples, samples)]
    reads = "SELECT count(*), count(DISTINCT case_sample_id) FROM clinic_readrow"
    assert site.query(reads) == [(samples, samples)]
    assert site.query("SELECT count(*) FROM clinic_case WHERE door <> 'edge'") == [(0,)]
    taken = "SELECT sum(json_extract(detail, '$.reads')) FROM clinic_auditrow WHERE action = "
    assert site.query(f"{taken}'from_edge'") == [(samples,)]
    site.run("-m", "firstread", "audit", "verify")

    wait_for(lambda: site.status()["waiting"] == 0, what="the edge knows it", site=site)
    status = site.status()
    assert (status["held"], status["unread"], status["trouble"]) == (0, 0, None)
    assert not list((site.inbox / "refused").rglob("*.png"))
    assert site.kill("edge", signal.SIGTERM) == 0
    log = site.log("edge")
    assert all(word not in log for word in (".png", " red", " green", " blue", "leukaemia/"))


def _keep_coming(site: Site) -> None:
    for number in range(AWAY, AWAY + BACK):
        put(site, number)
        time.sleep(0.1)


def _all_read(site: Site, samples: int) -> bool:
    read = "SELECT count(*) FROM clinic_readrow"
    waiting = "SELECT count(*) FROM clinic_case WHERE state <> 'read'"
    return site.query(read) == [(samples,)] and site.query(waiting) == [(0,)]


def test_it_tells_systemd_that_it_is_ready_alive_and_stopping(site: Site) -> None:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(site.folder / "notify"))
    channel.settimeout(60)
    site.env |= {"NOTIFY_SOCKET": str(site.folder / "notify"), "WATCHDOG_USEC": "1500000"}
    site.start("edge")
    heard: list[str] = []
    while not {"READY=1", "WATCHDOG=1"} <= set(heard):
        heard.append(channel.recv(4096).decode())
    assert heard[0] == "READY=1"
    assert any(line.startswith("STATUS=0 wait") for line in heard) or len(heard) < 4
    assert site.kill("edge", signal.SIGTERM) == 0
    while heard[-1] != "STOPPING=1":
        heard.append(channel.recv(4096).decode())
    channel.close()


def test_on_a_terminals_word_each_answer_is_printed_without_a_patients_number(site: Site) -> None:
    site.env["FIRSTREAD_EDGE_AFTERWARDS"] = "delete"
    command = [sys.executable, "-m", "firstread", "edge", "--pack", "colour", "--answers"]
    command += ["--clinic", f"http://127.0.0.1:{site.port}"]
    edge = subprocess.Popen(command, env=site.env, stdout=subprocess.PIPE, text=True)
    put(site, 7)
    assert edge.stdout is not None
    line = edge.stdout.readline()
    edge.terminate()
    edge.stdout.close()
    assert edge.wait(timeout=60) == 0
    assert ("leukaemia  green" in line, "2_7" in line) == (True, False)
    assert not list(site.inbox.rglob("*.png"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"FIRSTREAD_TOKEN_FILE": "/nowhere"}, "There is no token"),
        ({"FIRSTREAD_EDGE_CLINIC": "firstread.example.org"}, "https://"),
        ({"FIRSTREAD_EDGE_PACKS": "nothing-here"}, "no pack 'nothing-here'"),
        ({"FIRSTREAD_EDGE_PACKS": "colour colour"}, "both read 'leukaemia'"),
        ({"FIRSTREAD_EDGE_PATTERN": "(["}, "no regular expression"),
        ({"FIRSTREAD_EDGE_PATTERN": "a"}, "(?P<accession>...)"),
        ({"FIRSTREAD_EDGE_NAME": " "}, "has no name"),
        ({"FIRSTREAD_EDGE_INBOX": ""}, "--inbox"),
        ({"FIRSTREAD_EDGE_INBOX": "/"}, "lies in the inbox"),
        ({"FIRSTREAD_EDGE_CLINIC": ""}, "--clinic"),
        ({"FIRSTREAD_EDGE_SPOOL_MB": "1"}, "16"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    site: Site, change: dict[str, str], says: str
) -> None:
    site.env |= {"FIRSTREAD_EDGE_CLINIC": "http://127.0.0.1:9", "FIRSTREAD_EDGE_PACKS": "colour"}
    site.env |= change
    done = subprocess.run(
        [sys.executable, "-m", "firstread", "edge"],
        env=site.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_status_is_told_to_people_and_says_where_there_is_no_spool(site: Site) -> None:
    from click.testing import CliRunner

    from firstread.cli.edge import edge
    from firstread.edge.entries import Incoming
    from firstread.edge.spool import Spool

    runner = CliRunner()
    missing = runner.invoke(edge, ["status", "--spool", str(site.folder / "nowhere")])
    assert "no spool" in str(missing.exception)
    spool = Spool(site.spool, most_bytes=2**26)
    number, _ = spool.keep(
        Incoming(
            check="leukaemia",
            accession="865102",
            patient="",
            name="865102.png",
            kind="image",
            many=True,
            boot="b",
            boot_s=1.0,
        ),
        b"bytes",
    )
    spool.hold(number, said="There is no check 'leukaemia'.")
    said = runner.invoke(edge, ["status", "--spool", str(site.spool)]).output
    assert "refused       1 by the clinic" in said
    assert "sample 1 (leukaemia): There is no check 'leukaemia'." in said
    assert "865102" not in said
    again = runner.invoke(edge, ["resend", "1", "--spool", str(site.spool)])
    assert again.output == "1 wait again\n"
    spool.close()
