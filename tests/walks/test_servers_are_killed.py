"""Two servers that read for a clinic are killed and started again while cases come in."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from firstread.clinic.audit import verify
from firstread.clinic.checks.readers import forget
from firstread.clinic.models import AuditRow, Case, ReadRow
from firstread.server.config import CheckSettings
from firstread.server.worker import Worker
from tests.clinic_for_tests import Clinic, put_in
from tests.smtp_for_tests import free_port

CASES = 60
TOKEN = "a-token-for-tests"


@dataclass(kw_only=True)
class Reader:
    """`firstread serve` on a port of its own."""

    shelf: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        env = {key: value for key, value in os.environ.items() if not key.startswith("FIRSTREAD_")}
        env |= {
            "FIRSTREAD_PACKS": str(self.shelf),
            "FIRSTREAD_SERVE_TOKEN": TOKEN,
        }
        command = ["serve", "--pack", "colour", "--port", str(self.port), "--threads", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "firstread", *command],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        until(lambda: _answers(self.url))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def until(true: Callable[[], object], *, within_s: float = 120.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v2/health/live", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def readers(shelf: Path) -> Iterator[list[Reader]]:
    found = [Reader(shelf=shelf, port=free_port()) for _ in range(2)]
    for reader in found:
        reader.start()
    for reader in found:
        reader.wait()
    yield found
    for reader in found:
        reader.kill()


@pytest.fixture
def worker(committed_clinic: Clinic, readers: list[Reader], settings: Any) -> Iterator[Worker]:
    config = settings.FIRSTREAD
    reading = {"timeout_s": 5.0, "fallback": "none", "token": TOKEN}
    servers = CheckSettings(reader=tuple(reader.url for reader in readers))
    settings.FIRSTREAD = replace(
        config, checks={"leukaemia": servers}, reading=replace(config.reading, **reading)
    )
    forget()
    threads = Worker(reading_threads=2, watches_folder=False)
    threads.start()
    yield threads
    threads.stop()
    forget()


@pytest.mark.usefixtures("worker")
def test_every_case_is_read_once_whatever_happens_to_the_servers(readers: list[Reader]) -> None:
    for number in range(CASES):
        put_in("red", accession=str(number), seed=number)
        if number % 10 == 5:
            random.choice(readers).kill()
        if number % 10 == 9:
            for reader in readers:
                if reader.process is None:
                    reader.start()
        time.sleep(0.05)
    for reader in readers:
        reader.kill()  # for a while there is none at all
    put_in("red", accession="last", seed=CASES)
    until(lambda: Case.objects.get(accession="last").retry_at)
    for reader in readers:
        reader.start()
    until(lambda: not Case.objects.filter(state="received").exists())
    assert set(Case.objects.values_list("state", "finding")) == {("read", "red")}
    assert ReadRow.objects.count() == CASES + 1
    assert AuditRow.objects.filter(action="read").count() == CASES + 1
    hosts = {reader.url.removeprefix("http://") for reader in readers}
    where = " ".join(row.detail["where"][0] for row in AuditRow.objects.filter(action="read"))
    assert all(f"at {host}" in where for host in hosts)
    runtimes = {row.body["runtime"].split()[0] for row in ReadRow.objects.all()}
    assert runtimes == {"firstread"}
    assert verify().rows
