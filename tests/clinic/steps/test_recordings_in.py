"""A recording comes in: one file or two that belong together, and what cannot be opened."""

from __future__ import annotations

import pytest

from firstread.clinic.models import Check, RefusedSample
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.storage import store
from firstread.clinic.storage.traces import trace_of
from firstread.domain.errors import UnreadableSample
from firstread.recordings import open_recording
from tests.clinic_for_tests import Clinic
from tests.hearts_for_tests import wfdb_in_three, wfdb_pair

pytestmark = pytest.mark.usefixtures("heartbeat")


@pytest.fixture
def heartbeat(clinic: Clinic) -> Check:
    return Check.objects.create(name="heartbeat", title="Heartbeat", pack="beats", kind="recording")


def _files(pair: dict[str, bytes]) -> list[Incoming]:
    return [Incoming(data=data, name=name) for name, data in pair.items()]


def test_two_files_that_belong_together_are_one_sample(clinic: Clinic) -> None:
    pair = wfdb_pair("100")
    first = receive(_files(pair), check="heartbeat", door="page", by=clinic.tech)
    turned = receive(_files(dict(reversed(pair.items()))), check="heartbeat", door="api", by=None)
    assert (first.created, first.added) == (True, 1)
    assert (turned.case, turned.created, turned.added) == (first.case, False, 0)
    sample = first.case.samples.get()
    assert sample.original_name == "100.hea + 100.dat"
    assert (sample.sample.kind, sample.sample.media_type) == ("recording", "application/zip")
    assert open_recording(store.open(sample.sample_id)).signal.shape == (2, 3600)


def test_all_files_that_a_header_names_are_one_sample(clinic: Clinic) -> None:
    files = wfdb_in_three("100")
    first = receive(_files(files), check="heartbeat", door="page", by=clinic.tech)
    turned = receive(_files(dict(reversed(files.items()))), check="heartbeat", door="api", by=None)
    assert (first.added, first.refused, turned.case) == (1, (), first.case)
    sample = first.case.samples.get()
    read = open_recording(store.open(sample.sample_id)).signal
    pair = receive(_files(wfdb_pair("101")), check="heartbeat", door="page", by=None).case
    assert (read == open_recording(store.open(pair.samples.get().sample_id)).signal).all()


def test_half_a_pair_is_kept_and_said(clinic: Clinic) -> None:
    for name, data in wfdb_pair("100").items():
        with pytest.raises(UnreadableSample, match=r"\.dat"):
            receive([Incoming(data=data, name=name)], check="heartbeat", door="page", by=None)
    kept = {row.original_name: row for row in RefusedSample.objects.all()}
    assert set(kept) == {"100.hea", "100.dat"}
    assert store.open(kept["100.dat"].sha256) == wfdb_pair("100")["100.dat"]


def test_several_recordings_are_a_case_each(clinic: Clinic) -> None:
    both = _files(wfdb_pair("100", seed=1)) + _files(wfdb_pair("101", seed=2))
    with pytest.raises(UnreadableSample, match="one recording a case"):
        receive(both, check="heartbeat", door="page", by=None)


def test_a_picture_is_no_recording_and_a_recording_no_picture(clinic: Clinic) -> None:
    with pytest.raises(UnreadableSample, match="Send"):
        receive([Incoming(data=b"\x89PNG...")], check="heartbeat", door="page", by=None)
    with pytest.raises(UnreadableSample):
        receive(_files(wfdb_pair("100")), check="leukaemia", door="page", by=None)
    with pytest.raises(UnreadableSample, match="at least one recording"):
        receive([], check="heartbeat", door="page", by=None)


def test_a_file_beside_a_pair_is_refused_alone(clinic: Clinic) -> None:
    files = [*_files(wfdb_pair("100")), Incoming(data=b"\x00\x04", name="100.atr")]
    received = receive(files, check="heartbeat", door="page", by=None)
    assert received.added == 1
    assert [(each.place, each.name) for each in received.refused] == [(2, "100.atr")]


def test_what_a_page_is_drawn_from_holds_nothing_of_the_header(clinic: Clinic) -> None:
    pair = wfdb_pair("100", comment="# Mrs Example, born 1950", lead="Mrs Example's chest")
    case = receive(_files(pair), check="heartbeat", door="page", by=None).case
    trace = trace_of(case.samples.get().sample_id)
    assert b"Example" not in trace.path.read_bytes()
    assert (trace.samples, trace.rate_hz, trace.duration_s) == (3600, 360.0, 10.0)
    assert all("Example" not in lead for lead in trace.leads)
