"""The first read: once, under a lease, and never lost."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.utils import timezone

from firstread.clinic.checks import readers
from firstread.clinic.checks.apart import read_apart
from firstread.clinic.models import AuditRow, Case, Check, Outgoing, ReadRow, clock
from firstread.clinic.queue import cannot_read, presence, wake
from firstread.clinic.queue.lease import held
from firstread.clinic.queue.waiting import why_waiting
from firstread.clinic.steps import first_read
from firstread.clinic.steps.first_read import ReaderOf, read_next, tell_why_waiting
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.storage import store
from firstread.clinic.storage.reads import read_of
from firstread.domain.errors import (
    PackRefused,
    ShortOfMemory,
    StopsReaders,
    StoreTrouble,
    Unreachable,
)
from firstread.runtime import Outcome, PackReader
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


def _vanish(case: Case) -> None:
    """A reader dies with the case: nothing is given back."""
    with pytest.raises(Killed):
        read_next(mock.Mock(side_effect=Killed))
    assert not read_all()  # the lease still holds
    Case.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))


def test_readers_that_die_make_no_case_unfit(clinic: Clinic) -> None:
    case = put_in("red")
    for _ in range(first_read.MOST_INTERRUPTED):
        _vanish(case)
    assert read_all() == 1
    case.refresh_from_db()
    assert case.state == "received"
    assert "Whatever read it ended in the middle, 5 times" in why_waiting([case])[case.pk]
    Case.objects.update(retry_at=clock.now())
    assert read_all() == 1
    case.refresh_from_db()
    assert (case.state, case.attempts) == ("read", 0)


def test_a_sample_that_stops_its_reader_in_a_process_of_its_own_goes_to_a_person(
    clinic: Clinic,
) -> None:
    case = put_in("red", "green")
    first = case.samples.order_by("position").first()
    assert first is not None
    killer = store.open(first.sample_id)
    apart = mock.Mock(side_effect=lambda check, data: _stops_at(killer, check, data))
    _vanish(case)
    assert read_next(readers.reader_of, apart=apart)
    case.refresh_from_db()
    assert case.state == "unfit"
    assert case.unfit_reason.startswith(
        "1 of 2 samples cannot be read. Reading stopped the reader 3 times."
    )
    assert apart.call_count == settings.FIRSTREAD.reading.tries + 1
    assert ReadRow.objects.count() == 1
    assert case.verdict.says == "Unfit for a first read"
    assert case.left_out == "1 of 2 counted; 1 left out: 1 could not be opened"
    assert case.get_priority_display() == "urgent"
    assert Outgoing.objects.filter(case=case).count() == 2


def test_an_alarm_is_shown_whatever_could_not_be_read_beside_it(clinic: Clinic) -> None:
    case = put_in("green", "red")
    first = case.samples.order_by("position").first()
    assert first is not None
    killer = store.open(first.sample_id)
    _vanish(case)
    assert read_next(readers.reader_of, apart=lambda check, data: _stops_at(killer, check, data))
    case.refresh_from_db()
    assert (case.state, case.finding, case.doubt) == ("unfit", "red", "")
    assert case.left_out == "1 of 2 counted; 1 left out: 1 could not be opened"
    assert case.get_priority_display() == "stat"


def _stops_at(killer: bytes, check: Check, data: bytes) -> Outcome:
    if data == killer:
        raise StopsReaders("Reading it stopped the reader (signal 11).")
    return read_apart(check, data)


def test_a_step_that_stumbles_over_a_sample_gives_the_case_back_and_it_is_read_apart(
    clinic: Clinic,
) -> None:
    case = put_in("red")
    with pytest.raises(ZeroDivisionError):
        read_next(_reads(ZeroDivisionError()))
    apart = mock.Mock(side_effect=read_apart)
    assert read_next(readers.reader_of, apart=apart)
    case.refresh_from_db()
    assert case.state == "read"
    assert apart.call_count == 1


def _reads(error: BaseException) -> ReaderOf:
    """Opens, and then raises what it is given at each sample."""

    def opened(check: Check) -> PackReader:
        manifest = readers.reader_of(check).manifest
        return mock.Mock(manifest=manifest, read=mock.Mock(side_effect=error))

    return opened


def test_a_pack_that_is_refused_here_leaves_its_cases_to_others(clinic: Clinic) -> None:
    def refuses(check: Check) -> PackReader:
        raise PackRefused("The pack answers differently on this machine. Copy it again.")

    case = put_in("red")
    other = put_in_row()
    assert read_next(refuses)
    case.refresh_from_db()
    assert (case.state, case.attempts) == ("received", 0)
    assert "answers differently" in why_waiting([case])[case.pk]
    assert read_next(readers.reader_of)  # the other check's, for this one is left to others
    other.refresh_from_db()
    assert other.state == "read"
    assert not read_next(readers.reader_of)
    cannot_read.forget("leukaemia")  # another process would know nothing of it
    assert read_next(readers.reader_of)
    case.refresh_from_db()
    assert case.state == "read"
    assert [row.action for row in AuditRow.objects.filter(case_id=case.pk)].count("waits") == 1


def test_a_pack_that_is_not_there_keeps_its_cases_waiting(clinic: Clinic) -> None:
    Check.objects.filter(pk="leukaemia").update(pack="nowhere")
    case = put_in("red")
    read_all()
    case.refresh_from_db()
    assert case.state == "received"
    assert "There is no pack 'nowhere'" in why_waiting([case])[case.pk]
    Check.objects.filter(pk="leukaemia").update(pack="colour")
    cannot_read.forget("leukaemia")
    read_all()
    case.refresh_from_db()
    assert case.state == "read"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "short of memory"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(24, "Too many open files"), "Too many open files"),
        (PackRefused("The pack's network cannot be used."), "cannot be used"),
        (Unreachable("one:8080 does not answer."), "does not answer"),
        (ShortOfMemory("The system killed the process.", again_in_s=30.0), "killed the process"),
    ],
)
def test_trouble_of_the_machine_makes_no_case_unfit(
    clinic: Clinic, error: BaseException, says: str
) -> None:
    case = put_in("red")
    assert read_next(_reads(error))
    assert not read_all()  # it rests for a while
    case.refresh_from_db()
    assert (case.state, case.attempts) == ("received", 0)
    assert says in why_waiting([case])[case.pk]
    Case.objects.update(retry_at=clock.now())
    assert read_all() == 1
    case.refresh_from_db()
    assert (case.state, case.retry_at) == ("read", None)


def test_a_sample_whose_bytes_changed_is_waited_for_and_the_others_are_read(
    clinic: Clinic,
) -> None:
    case = put_in("red", "green")
    bad = case.samples.first()
    assert bad is not None
    place = settings.FIRSTREAD.samples / bad.sample_id[:2] / bad.sample_id
    good = place.read_bytes()
    place.write_bytes(b"worm")
    read_all()
    case.refresh_from_db()
    assert case.state == "received"
    assert "have changed" in why_waiting([case])[case.pk]
    assert ReadRow.objects.count() == 1
    store.put(good)  # it comes in again
    Case.objects.update(retry_at=clock.now())
    read_all()
    case.refresh_from_db()
    assert (case.state, ReadRow.objects.count()) == ("read", 2)


def test_a_store_that_is_not_mounted_makes_no_case_unfit(clinic: Clinic) -> None:
    cases = [put_in("red", accession=str(number), seed=number) for number in range(3)]
    samples = settings.FIRSTREAD.samples
    elsewhere = samples.with_name("elsewhere")
    samples.rename(elsewhere)
    samples.mkdir()
    assert read_next(readers.reader_of)
    assert not read_next(readers.reader_of)  # it asks no other in vain
    with pytest.raises(StoreTrouble, match="not mounted"):
        store.put(b"would be hidden once the disk is back")
    samples.rmdir()
    elsewhere.rename(samples)
    cannot_read.forget("leukaemia")
    assert read_all() == 3
    assert {Case.objects.get(pk=case.pk).state for case in cases} == {"read"}


def test_where_nobody_can_read_a_check_all_its_cases_say_so(clinic: Clinic) -> None:
    cases = [put_in("red", accession=str(number), seed=number) for number in range(3)]
    cannot_read.note("leukaemia", "The pack is damaged.")
    presence.say("one", reads=True)
    assert tell_why_waiting() == 3
    assert set(why_waiting(Case.objects.filter(pk__in=[c.pk for c in cases])).values()) == {
        "The pack is damaged."
    }
    assert tell_why_waiting() == 0
    cannot_read.forget("leukaemia")
    late = put_in("red", accession="9", seed=9)
    presence.say("two", reads=True)
    assert tell_why_waiting() == 0  # two reads it
    assert read_all() == 4
    late.refresh_from_db()
    assert late.state == "read"


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
        work = first_read._read_samples(slow, readers.reader_of, read_apart, lease=lease)
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
