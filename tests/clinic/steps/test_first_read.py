"""The first read: once, under a lease, and never lost."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.utils import timezone

from firstread.clinic.checks import readers
from firstread.clinic.models import Case, Check, Outgoing, ReadRow
from firstread.clinic.queue import wake
from firstread.clinic.queue.lease import held
from firstread.clinic.steps import first_read
from firstread.clinic.steps.first_read import read_next
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.storage import store
from firstread.clinic.storage.reads import read_of
from firstread.domain.errors import PackRefused
from firstread.runtime import PackReader
from tests.clinic_for_tests import Clinic, at_once, put_in, put_in_row, read_all, read_case


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the program catches it."""


def test_a_read_keeps_what_the_pack_said_and_which_pack(clinic: Clinic) -> None:
    case = read_case("red")
    row = ReadRow.objects.get()
    read = read_of(row)
    assert (case.state, case.waits_for, case.finding) == ("read", "specialist", "red")
    assert (read.pack, read.version, read.alarms) == ("colour", "1.0.0", ("red",))
    assert row.pack_sha256 == read.pack_sha256 == readers.reader_of(clinic.leukaemia).pack_sha256
    assert row.evidence


def test_a_row_of_measurements_is_read_with_its_contributions(clinic: Clinic) -> None:
    case = put_in_row(size=10.0, shape=9.0, nuclei=None)
    read_all()
    case.refresh_from_db()
    assert case.finding == "malignant"
    assert [c.value for c in read_of(ReadRow.objects.get()).contributions] == [10.0, 9.0, None]


def test_of_many_cells_the_alarm_is_the_headline(clinic: Clinic) -> None:
    case = read_case("green", "red", "blue", "green")
    assert (case.finding, case.get_priority_display()) == ("red", "stat")


def test_the_most_pressing_case_is_read_first(clinic: Clinic) -> None:
    late, early = put_in("green", accession="1"), put_in("green", accession="2", seed=4)
    Case.objects.filter(pk=early.pk).update(received_at=timezone.now() - timedelta(hours=1))
    assert read_next(readers.reader_of)
    late.refresh_from_db()
    early.refresh_from_db()
    assert (early.state, late.state) == ("read", "received")


def test_a_case_that_kills_its_reader_goes_to_a_person_after_three_tries(clinic: Clinic) -> None:
    case = put_in("red")
    dies = mock.Mock(side_effect=Killed)
    for _ in range(settings.FIRSTREAD.reading.tries):
        with pytest.raises(Killed):
            read_next(dies)
        assert not read_next(dies)  # the lease still holds
        Case.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert read_next(dies)
    case.refresh_from_db()
    assert case.state == "unfit"
    assert "stopped the reader 3 times" in case.unfit_reason
    assert case.get_priority_display() == "urgent"
    assert Outgoing.objects.filter(case=case).count() == 2


def test_a_pack_that_is_refused_leaves_its_cases_to_people(clinic: Clinic) -> None:
    def refuses(check: Check) -> PackReader:
        raise PackRefused("The pack answers differently on this machine. Copy it again.")

    case = put_in("red")
    assert read_next(refuses)
    case.refresh_from_db()
    assert (case.state, case.unfit_reason[:27]) == ("unfit", "The pack answers differentl")


def test_a_pack_that_is_not_there_leaves_its_cases_to_people(clinic: Clinic) -> None:
    Check.objects.filter(pk="leukaemia").update(pack="nowhere")
    case = put_in("red")
    read_all()
    case.refresh_from_db()
    assert case.state == "unfit"
    assert "There is no pack 'nowhere'" in case.unfit_reason


def test_a_sample_whose_bytes_changed_is_told_of_and_the_others_are_read(clinic: Clinic) -> None:
    case = put_in("red", "green")
    bad = case.samples.first()
    assert bad is not None
    (settings.FIRSTREAD.samples / bad.sample_id[:2] / bad.sample_id).write_bytes(b"worm")
    read_all()
    case.refresh_from_db()
    assert case.state == "unfit"
    assert case.unfit_reason.startswith("1 of 2 samples cannot be read.")
    assert ReadRow.objects.count() == 1
    (settings.FIRSTREAD.samples / bad.sample_id[:2] / bad.sample_id).unlink()


def test_a_blurred_sample_is_unfit_with_its_reason(clinic: Clinic) -> None:
    from PIL import Image

    from tests.images_for_tests import as_png

    flat = as_png(Image.new("RGB", (96, 96), (200, 120, 120)))
    case = receive([Incoming(data=flat)], check="leukaemia", door="page", by=None).case
    read_all()
    case.refresh_from_db()
    assert case.state == "unfit"
    assert case.unfit_reason
    assert ReadRow.objects.filter(case_sample__case=case).count() == 1


def test_a_sample_that_comes_while_its_case_is_read_is_read_too(clinic: Clinic) -> None:
    case = put_in("red", accession="1")

    def adds_one(check: Check) -> PackReader:
        reader = readers.reader_of(check)

        class Slow:
            manifest = reader.manifest

            def read(self, data: bytes) -> object:
                put_in("green", accession="1", seed=33)
                return reader.read(data)

        return Slow()  # type: ignore[return-value]

    assert read_next(adds_one)
    case.refresh_from_db()
    assert case.state == "received"
    assert read_all() == 1
    case.refresh_from_db()
    assert case.state == "read"
    assert ReadRow.objects.count() == 2


def test_a_worker_whose_lease_ran_out_writes_nothing_twice(clinic: Clinic) -> None:
    case = put_in("red")
    slow = first_read._claim()
    assert slow is not None
    with held(slow, lease=timedelta(seconds=60)) as lease:
        work = first_read._read_samples(slow, readers.reader_of, lease=lease)
        Case.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        assert read_all() == 1
        first_read._write(slow, work)
    assert ReadRow.objects.filter(case_sample__case=case).count() == 1
    assert Outgoing.objects.count() == 2


def test_two_workers_read_a_case_once(committed_clinic: Clinic) -> None:
    for number in range(12):
        put_in("red", accession=str(number), seed=number)
    read = at_once(*[read_all] * 3)
    assert sum(int(str(count)) for count in read) == 12
    assert ReadRow.objects.count() == 12
    assert Outgoing.objects.count() == 24
    assert set(Case.objects.values_list("state", flat=True)) == {"read"}


def test_intake_wakes_the_worker(committed_clinic: Clinic) -> None:
    heard = wake.reading.heard()
    put_in("red")
    assert wake.reading.heard() == heard + 1
    assert store.open(Case.objects.get().samples.get().sample_id)
