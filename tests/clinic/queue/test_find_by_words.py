"""A case is found by any piece of its accession, or of its patient's number or name."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from firstread.clinic.models import Case, CaseWords, Patient
from firstread.clinic.queue import find_by_words
from firstread.clinic.queue.find_by_words import keep_words, with_words
from tests.clinic_for_tests import Clinic, put_in, put_in_row

PIECES = ("26-48100", "48100", "6-48", "mrn-77", "MRN-7", "ÖZIL", "özil ay", "yş", "7")


def found(text: str) -> set[str]:
    return set(with_words(Case.objects.all(), text).values_list("accession", flat=True))


@pytest.fixture
def case(clinic: Clinic) -> Case:
    made = put_in("red", accession="26-48100", patient="MRN-77")
    put_in("green", accession="26-5", seed=9)
    assert made.patient is not None
    made.patient.name = "Özil Ayşe"
    made.patient.save()
    keep_words(made)
    return made


@pytest.mark.parametrize("text", PIECES)
def test_any_piece_finds_it_in_large_letters_and_small(case: Case, text: str) -> None:
    assert found(text) == {"26-48100"}


@pytest.mark.parametrize("text", PIECES)
def test_where_many_hold_a_piece_the_list_is_gone_through_and_finds_the_same(
    case: Case, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_by_words, "MOST_FOUND", 0)
    assert found(text) == {"26-48100"}
    assert found("26-") == {"26-48100", "26-5"}


@pytest.mark.parametrize("text", ["26_48", "%%%", '48"100', "26 48", "77\nöz", "AND", "481*", "'"])
def test_signs_stand_for_themselves(case: Case, text: str) -> None:
    assert found(text) == ({"26-48100"} if text == "77\nöz" else set())


def test_a_patient_who_is_named_later_is_found(clinic: Clinic) -> None:
    put_in("red", accession="A-1")
    assert found("mrn-9") == set()
    put_in("blue", accession="A-1", patient="MRN-9", seed=7)
    assert found("mrn-9") == {"A-1"}
    assert CaseWords.objects.count() == 1


def test_a_row_of_measurements_is_found_too(clinic: Clinic) -> None:
    put_in_row(accession="R-1")
    assert found("r-1") == {"R-1"}


def test_a_case_that_is_gone_is_found_no_more(clinic: Clinic) -> None:
    put_in("red", accession="GONE-1")
    CaseWords.objects.all().delete()
    assert found("gone-1") == set()


def test_cases_of_a_site_that_is_upgraded_get_their_words(clinic: Clinic) -> None:
    case = put_in("red", accession="OLD-1", patient="MRN-1")
    Patient.objects.update(name="Ödön")
    put_in("green", accession="OLD-2", seed=5)
    CaseWords.objects.all().delete()
    import_module("firstread.clinic.migrations.0008_case_words").note_words(apps, None)
    assert found("old-") == {"OLD-1", "OLD-2"}
    assert found("ödön") == {"OLD-1"}
    case.refresh_from_db()
    before = CaseWords.objects.get(case=case).text
    keep_words(case)
    assert CaseWords.objects.get(case=case).text == before
