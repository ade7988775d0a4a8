"""A lease: one holder, by the database's clock, for as long as it works."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction

from firstread.clinic.models import Case, clock
from firstread.clinic.queue.lease import claim, give_back_all, held, still_held
from tests.clinic_for_tests import Clinic, put_in

SHORT, LONG = timedelta(seconds=0.4), timedelta(minutes=1)


def _claim(lease: timedelta = LONG) -> Case | None:
    return claim(Case.objects.order_by("pk"), lease=lease, longest_pause=timedelta(minutes=5))


def _still_held(row: Case) -> bool:
    with transaction.atomic():
        return still_held(row) is not None


def test_what_is_held_is_not_claimed_by_another(clinic: Clinic) -> None:
    put_in("red")
    assert _claim() is not None
    assert _claim() is None


def test_a_lease_is_renewed_as_long_as_its_holder_works(committed_clinic: Clinic) -> None:
    put_in("red")
    row = _claim(SHORT)
    assert row is not None
    with held(row, lease=SHORT):
        end = time.monotonic() + 4 * SHORT.total_seconds()
        while time.monotonic() < end:
            assert _claim() is None
            time.sleep(0.02)
        assert _still_held(row)


def test_whoever_lost_its_lease_no_longer_holds_the_row(committed_clinic: Clinic) -> None:
    put_in("red")
    row = _claim()
    assert row is not None
    Case.objects.update(claimed_until=clock.now() - timedelta(seconds=1))
    assert _still_held(row)  # nobody took it
    again = _claim()
    assert not _still_held(row)
    assert again is not None
    with held(row, lease=SHORT) as lost:
        end = time.monotonic() + 30
        while not lost.lost:
            assert time.monotonic() < end
            time.sleep(0.02)
    assert _still_held(again)


@pytest.mark.parametrize("field", ["claimed_until", "retry_at"])
def test_what_lies_unreasonably_far_in_the_future_is_taken_back(clinic: Clinic, field: str) -> None:
    put_in("red")
    Case.objects.update(**{field: clock.now() + timedelta(minutes=2)})
    assert _claim() is None
    Case.objects.update(**{field: clock.now() + timedelta(days=1)})
    assert _claim() is not None


def test_work_that_ends_with_an_error_gives_the_row_back_and_counts(clinic: Clinic) -> None:
    put_in("red")
    row = _claim()
    assert row is not None
    with pytest.raises(RuntimeError), held(row, lease=LONG):
        raise RuntimeError
    row = _claim()
    assert row is not None
    assert row.attempts == 2


def _gone(*_: object) -> None:
    raise OperationalError("server closed the connection unexpectedly")


def test_what_was_held_when_the_database_went_is_given_back_when_it_answers_again(
    committed_clinic: Clinic,
) -> None:
    put_in("red")
    row = _claim()
    assert row is not None
    connection.execute_wrappers.append(_gone)
    try:
        with pytest.raises(OperationalError), held(row, lease=LONG):
            Case.objects.count()
    finally:
        connection.execute_wrappers.clear()
    again = _claim()
    assert again is not None
    assert again.attempts == 1  # it was not the row's fault


def test_a_process_that_ends_gives_back_what_it_holds_and_nothing_counts(
    committed_clinic: Clinic,
) -> None:
    put_in("red")
    row = _claim()
    assert row is not None
    works, ends = threading.Event(), threading.Event()

    def work() -> None:
        with held(row, lease=LONG):
            works.set()
            ends.wait(30)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    works.wait(30)
    assert give_back_all() == 1
    again = _claim()
    assert again is not None
    assert again.attempts == 1
    assert not _still_held(row)
    ends.set()
    thread.join()
