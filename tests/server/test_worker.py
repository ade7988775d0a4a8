"""The worker's threads: woken at once, and not stopped by one case."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from firstread.clinic.models import Case, Outgoing
from firstread.server import worker
from firstread.server.worker import Worker
from tests.clinic_for_tests import Clinic, put_in
from tests.site_for_tests import site_on
from tests.smtp_for_tests import free_port


@pytest.fixture
def running(committed_clinic: Clinic) -> Iterator[Clinic]:
    threads = Worker(reading_threads=2, watches_folder=False)
    threads.start()
    yield committed_clinic
    threads.stop()


def _wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_a_case_is_read_as_soon_as_it_is_received(running: Clinic) -> None:
    case = put_in("red")
    _wait_for(lambda: Case.objects.get(pk=case.pk).state == "read")
    assert Outgoing.objects.filter(case=case).count() == 2


def test_a_step_that_stumbles_is_taken_up_again_and_its_words_stay_out_of_the_log(
    committed_clinic: Clinic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def stumbles() -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("Mrs Example, accession 77, has blasts")
        return worker.read_next(worker.readers.reader_of)

    monkeypatch.setattr(worker, "_read_one", stumbles)
    case = put_in("red")
    with caplog.at_level(logging.INFO):
        threads = Worker(reading_threads=1, watches_folder=False)
        threads.start()
        _wait_for(lambda: Case.objects.get(pk=case.pk).state == "read")
        threads.stop()
    assert "RuntimeError in stumbles" in caplog.text
    assert "Example" not in caplog.text


def test_a_worker_waits_for_a_postgresql_that_starts(tmp_path: Path, shelf: Path) -> None:
    with site_on("postgresql", home=tmp_path, shelf=shelf) as site:
        port = int(site.env["FIRSTREAD_DATABASE_URL"].rpartition(":")[2].partition("/")[0])
        free = free_port()
        site.env["FIRSTREAD_DATABASE_URL"] = f"postgresql://postgres@127.0.0.1:{free}/postgres"
        site.start("worker")
        site.wait_for(lambda: "is waited for" in site.log("worker"), what="it waiting")
        with _forwarding(free, to=port):
            site.wait_for(lambda: "Reading with" in site.log("worker"), what="it reading")
            process = site.processes.pop("worker")
            process.terminate()
            assert process.wait(timeout=60) == 0


@contextmanager
def _forwarding(port: int, *, to: int) -> Iterator[None]:
    """What comes to the port goes to the other: a server that has come up."""
    listening = socket.create_server(("127.0.0.1", port))

    def pump(source: socket.socket, target: socket.socket) -> None:
        with source, suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                here, _ = listening.accept()
                there = socket.create_connection(("127.0.0.1", to))
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        listening.close()
