"""What was kept long enough goes, what waits for a word or is held stays."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from msgspec.structs import replace

from firstread.clinic import audit
from firstread.clinic.keeping import retention, store_mending
from firstread.clinic.keeping.retention import carry_out, due
from firstread.clinic.models import (
    AuditRow,
    Case,
    CaseSample,
    CaseWords,
    Chore,
    Patient,
    RefusedSample,
    Sample,
    SignOff,
    clock,
)
from firstread.clinic.shown.case import look
from firstread.clinic.steps.intake import Incoming, receive
from firstread.clinic.steps.review import answer
from firstread.clinic.storage import store
from firstread.domain.errors import StoreTrouble, UnreadableSample
from firstread.server.config import CheckSettings, Config, Retention
from tests.clinic_for_tests import Clinic, put_in, read_all

LONG_AGO = timedelta(days=100)


def _config(check: CheckSettings | None = None, **days: int) -> Config:
    checks = {} if check is None else {"leukaemia": check}
    return replace(settings.FIRSTREAD, retention=Retention(**days), checks=checks)


def _signed(clinic: Clinic, accession: str, *, seed: int, patient: str = "") -> Case:
    """A case that was signed off long ago."""
    case = put_in("red", accession=accession, seed=seed, patient=patient)
    read_all()
    for person in (clinic.ana, clinic.bo):
        look(case.pk, by=person)
        answer(case.pk, by=person, label="red", comment="")
    long_ago = clock.now() - LONG_AGO
    SignOff.objects.filter(case=case).update(at=long_ago)
    Case.objects.filter(pk=case.pk).update(decided_at=long_ago)
    return case


def _hash(case: Case) -> str:
    return CaseSample.objects.get(case=case).sample_id


def _erase(config: Config) -> dict[str, int]:
    found = due(config)
    for _ in carry_out(found):
        pass
    return found.counts


def test_nothing_goes_unless_it_is_set(committed_clinic: Clinic) -> None:
    _signed(committed_clinic, "1", seed=1)
    assert not due(_config())
    assert due(_config(cases_days=99)).counts["cases"] == 1
    assert Case.objects.count() == 1  # it was only counted


def test_cases_go_once_their_last_word_is_old_and_never_before_they_are_signed(
    committed_clinic: Clinic,
) -> None:
    old = _signed(committed_clinic, "old", seed=1, patient="P-1")
    amended = _signed(committed_clinic, "amended", seed=2, patient="P-1")
    SignOff.objects.filter(case=amended).update(at=clock.now())
    held = _signed(committed_clinic, "held", seed=3)
    retention.hold(held, reason="a lawsuit")
    unsigned = put_in("red", accession="unsigned", seed=4)
    Case.objects.filter(pk=unsigned.pk).update(received_at=clock.now() - LONG_AGO)
    sha256 = _hash(old)
    counts = _erase(_config(cases_days=30, bytes_days=30, names_days=30))
    assert counts == {"cases": 1, "samples": 0, "names": 0, "refused": 0}
    assert {case.accession for case in Case.objects.all()} == {"amended", "held", "unsigned"}
    assert not store.is_there(sha256)
    assert Patient.objects.count() == 1
    retention.let_go(held)
    assert _erase(_config(cases_days=30))["cases"] == 1
    audit.verify()


def test_a_check_has_terms_of_its_own(committed_clinic: Clinic) -> None:
    _signed(committed_clinic, "1", seed=1)
    assert not due(_config(CheckSettings(cases_days=0), cases_days=30))
    assert due(_config(CheckSettings(cases_days=30))).counts["cases"] == 1


def test_bytes_go_and_what_was_decided_stays_until_they_come_in_again(
    committed_clinic: Clinic, client: Client
) -> None:
    case = _signed(committed_clinic, "1", seed=1)
    shared = _signed(committed_clinic, "2", seed=2)
    put_in("red", accession="waits", seed=2)  # the same bytes, and nobody has answered
    assert _erase(_config(bytes_days=30))["samples"] == 1
    sha256 = _hash(case)
    assert not store.is_there(sha256)
    assert store.is_there(_hash(shared))
    with pytest.raises(StoreTrouble, match="as the site's retention says"):
        store.open(sha256)
    client.force_login(committed_clinic.ana)
    page = client.get(f"/cases/{case.pk}").content.decode()
    assert "The bytes of sample 1 were erased on" in page
    assert "erased the bytes of a sample" in page
    assert not due(_config(bytes_days=30))
    assert store_mending.ailing([sha256]) == {}
    put_in("red", accession="again", seed=1)
    assert Sample.objects.get(pk=sha256).bytes_erased_at is None
    assert store.what_ails(sha256) == ""


def test_names_go_where_no_case_of_the_patient_needs_them(committed_clinic: Clinic) -> None:
    forgotten = _signed(committed_clinic, "1", seed=1, patient="P-1")
    kept = _signed(committed_clinic, "2", seed=2, patient="P-2")
    put_in("red", accession="3", seed=3, patient="P-2")
    assert _erase(_config(names_days=30))["names"] == 1
    assert list(Patient.objects.values_list("identifier", flat=True)) == ["P-2"]
    assert CaseSample.objects.get(case=forgotten).original_name == ""
    assert CaseWords.objects.get(case=forgotten).text == "1"
    assert CaseSample.objects.get(case=kept).original_name == "red.png"


def test_refused_files_go_after_their_time(committed_clinic: Clinic) -> None:
    with pytest.raises(UnreadableSample):
        receive([Incoming(data=b"no picture")], check="leukaemia", door="page", by=None)
    assert not due(_config(refused_days=30))
    RefusedSample.objects.update(received_at=clock.now() - LONG_AGO)
    sha256 = RefusedSample.objects.get().sha256
    assert sha256 not in str(AuditRow.objects.values_list("detail"))
    assert _erase(_config(refused_days=30))["refused"] == 1
    assert not store.is_there(sha256)
    assert not list(Path(settings.FIRSTREAD.samples).glob("??/*"))


def test_by_night_it_runs_once(committed_clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    _signed(committed_clinic, "1", seed=1)
    config, stop = _config(cases_days=30), threading.Event()
    at = clock.now()
    monkeypatch.setattr(retention.clock, "now", lambda: at.replace(hour=12))
    assert not retention.nightly(stop, config=config)
    monkeypatch.setattr(retention.clock, "now", lambda: at.replace(hour=2))
    assert retention.nightly(stop, config=config)
    assert Case.objects.count() == 0
    assert not retention.nightly(stop, config=config)
    assert Chore.objects.get(pk=retention.NIGHTLY).counts["cases"] == 1
