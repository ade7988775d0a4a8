"""Who is erased, who is not, and what happens when the same bytes come in at that moment."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from msgspec.structs import replace

from firstread.clinic import audit
from firstread.clinic.keeping import retention
from firstread.clinic.keeping.erase_case import erase_case
from firstread.clinic.keeping.erase_patient import forget, plan_of
from firstread.clinic.models import Case, CaseSample, IdempotencyKey, Patient, clock
from firstread.clinic.storage import store
from firstread.domain.errors import StoreTrouble, WrongState
from tests.clinic_for_tests import Clinic, at_once, put_in, put_in_row


def test_cases_that_wait_or_are_held_are_not_erased_unasked(committed_clinic: Clinic) -> None:
    case = put_in("red", accession="1", patient="P-1")
    with pytest.raises(WrongState, match="1 cases of the patient are not signed off yet"):
        forget(plan_of("P-1"), even_undecided=False)
    retention.hold(case, reason="a lawsuit")
    with pytest.raises(WrongState, match=r"is held \(a lawsuit\)"):
        forget(plan_of("P-1"), even_undecided=True)
    retention.let_go(case)
    assert forget(plan_of("P-1"), even_undecided=True).cases == 1
    assert not Case.objects.exists()
    audit.verify()


def test_a_name_finds_the_patient_where_one_alone_bears_it(committed_clinic: Clinic) -> None:
    for number in ("P-1", "P-2"):
        put_in("red", accession=number, patient=number)
    Patient.objects.update(name="Gesine Musterfrau")
    with pytest.raises(WrongState, match=r"2 patients bear that name.*P-1, P-2"):
        plan_of("gesine musterfrau")
    Patient.objects.filter(identifier="P-2").update(name="")
    assert plan_of("gesine musterfrau").patient.identifier == "P-1"
    with pytest.raises(WrongState, match="no patient of that number"):
        plan_of("")


def test_the_same_accession_without_a_patient_is_the_same_person(committed_clinic: Clinic) -> None:
    put_in("red", accession="17", patient="P-1")
    put_in_row(accession="17")
    put_in_row(accession="1723", size=2.0)
    assert forget(plan_of("P-1"), even_undecided=True).cases == 2
    assert list(Case.objects.values_list("accession", flat=True)) == ["1723"]


@pytest.mark.parametrize(
    "number", ['O\'Brien "Bo"', "ward\\17", "100%", "Müller & Söhne", "<b>_*?", "Ключ 5"]
)
def test_a_patient_is_forgotten_however_the_number_is_written(
    number: str, committed_clinic: Clinic, settings: Any, tmp_path: Path
) -> None:
    config = settings.FIRSTREAD
    inbox = replace(config.inbox, folder=tmp_path)
    settings.FIRSTREAD = replace(config, inbox=inbox)
    put_in("red", accession="17", patient=number)
    body = {"case": {"patient": number}}
    asked = {"person": committed_clinic.ana, "created_at": clock.now(), "status": 200}
    IdempotencyKey.objects.create(key="k", request_digest="d", body=body, **asked)
    session = SessionStore()
    session["search"] = number
    session.create()
    doubled = number.replace('"', '""')
    (tmp_path / "rows.csv").write_text(f'patient,size\n"{doubled}",1\nother,2\n', encoding="utf-8")
    (tmp_path / "row.json").write_text(json.dumps({"patient": number}))
    apart = unicodedata.normalize("NFD", number)
    (tmp_path / f"{apart.replace('/', '')}_a.png").write_bytes(b"as a Mac writes names")

    left = forget(plan_of(apart), even_undecided=True).left

    assert not IdempotencyKey.objects.exists()
    assert not Session.objects.exists()
    assert (tmp_path / "rows.csv").read_text() == "patient,size\nother,2\n"
    assert left == [f"{tmp_path / 'row.json'} may name the patient: look at it, and delete it."]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["row.json", "rows.csv"]


def test_whoever_looked_for_the_patient_signs_in_anew(committed_clinic: Clinic) -> None:
    put_in("red", accession="17", patient="P-1")
    for text in ("p-1", "P-10"):
        session = SessionStore()
        session["search"] = text
        session.create()
    forget(plan_of("P-1"), even_undecided=True)
    assert [each.get_decoded()["search"] for each in Session.objects.all()] == ["P-10"]


def test_bytes_that_come_in_while_they_are_erased_are_kept_or_sent_again(
    committed_clinic: Clinic,
) -> None:
    for number in range(6):
        case = put_in("red", accession=f"old-{number}", seed=number)

        def again(number: int = number) -> bool:
            try:
                put_in("red", accession=f"new-{number}", seed=number)
            except StoreTrouble:
                return False
            return True

        def erase(case: Case = case) -> None:
            erase_case(case.pk, why="asked")

        taken, _ = at_once(again, erase)
        there = CaseSample.objects.filter(case__accession=f"new-{number}").first()
        assert taken == (there is not None)
        if there is not None:
            assert store.what_ails(there.sample_id) == ""
    audit.verify()
