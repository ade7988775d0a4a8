"""The worker's threads: woken at once, and not stopped by one case."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import pytest

from firstread.clinic.models import Case, Outgoing
from firstread.server import worker
from firstread.server.worker import Worker
from tests.clinic_for_tests import Clinic, put_in


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
