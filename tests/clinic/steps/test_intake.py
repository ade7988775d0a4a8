"""Receiving samples: once, whole, under the right number; what cannot be opened is kept."""

from __future__ import annotations

import unicodedata
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstread.clinic.models import (
    Case,
    CaseSample,
    Outgoing,
    Patient,
    ReadRow,
    RefusedSample,
    Sample,
)
from firstread.clinic.queue.find_by_words import with_words
from firstread.clinic.shown.case import look
from firstread.clinic.shown.case_list import newest_cases
from firstread.clinic.steps.correct import correct
from firstread.clinic.steps.intake import Incoming, receive, receive_measurements
from firstread.clinic.steps.review import answer
from firstread.clinic.storage import store
from firstread.domain.errors import BadMeasurement, UnknownCheck, UnreadableSample, WrongState
from tests.clinic_for_tests import Clinic, at_once, put_in, put_in_row, read_all, read_case
from tests.images_for_tests import cell_png, not_pictures


def test_the_same_sample_twice_is_one_case(clinic: Clinic) -> None:
    first = receive([Incoming(data=cell_png())], check="leukaemia", door="page", by=None)
    again = receive([Incoming(data=cell_png())], check="leukaemia", door="api", by=None)
    assert (first.created, first.added) == (True, 1)
    assert (again.created, again.added, again.case) == (False, 0, first.case)
    assert first.case.accession == f"S-{store.put(cell_png())[:12]}"


def test_a_sample_without_a_number_joins_the_case_that_has_it(clinic: Clinic) -> None:
    case = put_in("red", accession="77")
    assert put_in("red") == case


def test_the_same_sample_again_for_another_patient_is_refused(clinic: Clinic) -> None:
    case = put_in("red", accession="77", patient="P-1")
    assert put_in("red", accession="77", patient="P-1") == case
    assert put_in("red", accession="77") == case
    with pytest.raises(WrongState, match="as another patient's case"):
        put_in("red", accession="77", patient="P-2")
    put_in("red", accession="78", seed=5)
    with pytest.raises(WrongState, match="as a case that names no patient"):
        put_in("red", accession="78", patient="P-2", seed=5)
    assert not Patient.objects.filter(identifier="P-2").exists()


def test_the_same_request_again_finds_the_case_whose_patient_was_corrected(clinic: Clinic) -> None:
    case = put_in("red", accession="77", patient="P-1")
    correct(case.pk, by=clinic.ana, patient="P-2")
    assert put_in("red", accession="77", patient="P-1") == case
    correct(case.pk, by=clinic.ana, patient="")
    assert put_in("red", accession="77", patient="P-2") == case


def test_an_umlaut_is_one_number_however_a_computer_writes_it(clinic: Clinic) -> None:
    apart = unicodedata.normalize("NFD", "Müller-7")
    case = put_in("red", accession="Müller-7", patient="Ärzte 1")
    assert put_in("red", accession=apart, patient=unicodedata.normalize("NFD", "Ärzte 1")) == case
    assert (case.accession, Case.objects.count(), Patient.objects.count()) == ("Müller-7", 1, 1)
    found = newest_cases(by=clinic.ana, limit=5, accession=apart)
    assert [each.case for each in found.cases] == [case]
    assert with_words(Case.objects.all(), apart.upper()).get() == case


def test_of_several_files_that_cannot_be_opened_each_has_its_reason(clinic: Clinic) -> None:
    bad = [Incoming(data=b"", name="a.png"), Incoming(data=b"%PDF-1.4 x", name="b.png")]
    with pytest.raises(UnreadableSample, match=r"a\.png: The file is empty.* b\.png: .*a PDF"):
        receive(bad, check="leukaemia", door="api", accession="7", by=None)
    assert not Case.objects.exists()


def test_the_same_picture_under_two_numbers_is_told_in_both_histories(clinic: Clinic) -> None:
    first, other = put_in("red", accession="77"), put_in("red", accession="78")
    put_in("red", accession="78")
    put_in("green", accession="79", seed=5)
    for case, number in ((first, "78"), (other, "77")):
        said = [line.sentence for line in look(case.pk, by=clinic.ana).history]
        assert [each for each in said if "same sample" in each] == [
            f"found the same sample under another number: {number}"
        ]


def test_equal_measurements_under_two_numbers_are_no_news(clinic: Clinic) -> None:
    put_in_row(accession="5")
    case = put_in_row(accession="6")
    assert [line.action for line in look(case.pk, by=clinic.ana).history] == ["received", "viewed"]


def test_more_samples_of_one_accession_join_its_case_and_are_read(clinic: Clinic) -> None:
    case = read_case("red", accession="77")
    assert put_in("green", accession="77", seed=5) == case
    case.refresh_from_db()
    assert case.state == "received"
    read_all()
    assert ReadRow.objects.filter(case_sample__case=case).count() == 2
    assert Outgoing.objects.count() == 2  # ana and bo were told once


def test_samples_that_come_after_an_answer_open_the_next_part(clinic: Clinic) -> None:
    case = read_case("red", accession="77")
    answer(case.pk, by=clinic.ana, label="red")
    part = put_in("green", accession="77", seed=9)
    assert (part.accession, part.part) == ("77", 2)
    assert put_in("red", accession="77") == case  # put in again it is still the same case


def test_each_row_of_measurements_is_a_case_of_its_own(clinic: Clinic) -> None:
    first = put_in_row(accession="5", size=3)
    second = put_in_row(accession="5", size=4)
    assert (first.part, second.part) == (1, 2)
    assert put_in_row(accession="5", size=3) == first


def test_a_missing_value_and_an_absent_one_are_the_same_row(clinic: Clinic) -> None:
    values = {"size": 1.0, "shape": 2.0}
    first = receive_measurements(values, check="breast-cytology", door="api", by=None)
    again = receive_measurements(
        values | {"nuclei": None}, check="breast-cytology", door="page", by=None
    )
    assert again.case == first.case


@pytest.mark.parametrize("kind", not_pictures())
def test_what_cannot_be_opened_is_refused_with_a_sentence_and_kept(
    clinic: Clinic, kind: str
) -> None:
    data = not_pictures()[kind]
    with pytest.raises(UnreadableSample):
        receive(
            [Incoming(data=data, name="a/b/slide.png")], check="leukaemia", door="page", by=None
        )
    refused = RefusedSample.objects.get()
    assert refused.original_name == "slide.png"
    assert refused.reason.endswith(".")
    assert store.open(refused.sha256) == data
    assert not Case.objects.exists()


def test_one_bad_file_among_good_ones_stops_only_itself(clinic: Clinic) -> None:
    samples = [
        Incoming(data=cell_png("red"), name="1.png"),
        Incoming(data=b"%PDF-1.7", name="2.pdf"),
        Incoming(data=cell_png("blue"), name="3.png"),
    ]
    received = receive(samples, check="leukaemia", door="page", by=None)
    assert received.added == 2
    assert [each.name for each in received.refused] == ["2.pdf"]


def test_nothing_at_all_is_refused(clinic: Clinic) -> None:
    with pytest.raises(UnreadableSample, match="No sample"):
        receive([], check="leukaemia", door="page", by=None)


def test_an_unknown_check_is_named_with_those_there_are(clinic: Clinic) -> None:
    with pytest.raises(UnknownCheck, match="breast-cytology, leukaemia"):
        receive([Incoming(data=b"")], check="malaria", door="page", by=None)


def test_pictures_and_measurements_are_not_mixed_up(clinic: Clinic) -> None:
    with pytest.raises(UnreadableSample, match="takes measurements"):
        receive([Incoming(data=cell_png())], check="breast-cytology", door="page", by=None)
    with pytest.raises(UnreadableSample, match="takes pictures"):
        receive_measurements({"size": 1.0}, check="leukaemia", door="page", by=None)


def test_a_measurement_out_of_range_names_its_field(clinic: Clinic) -> None:
    with pytest.raises(BadMeasurement, match="between 1 and 10") as caught:
        put_in_row(shape=11.0)
    assert caught.value.field == "shape"
    assert not Sample.objects.exists()


@pytest.mark.parametrize("accession", ["x" * 65, "a\nb", "a\x00b"])
def test_a_number_that_is_no_number_is_refused(clinic: Clinic, accession: str) -> None:
    with pytest.raises(BadMeasurement) as caught:
        put_in("red", accession=accession)
    assert caught.value.field == "accession"


def test_an_accession_of_another_patient_is_refused(clinic: Clinic) -> None:
    put_in("red", accession="9", patient="MRN-1")
    with pytest.raises(WrongState, match="another patient"):
        put_in("green", accession="9", patient="MRN-2")
    assert CaseSample.objects.count() == 1


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.lists(
        st.tuples(st.sampled_from(["red", "green"]), st.sampled_from(["", "1", "2"])),
        min_size=1,
        max_size=5,
    )
)
def test_receiving_everything_twice_changes_nothing(
    clinic: Clinic, order: list[tuple[str, str]]
) -> None:
    for colour, accession in order:
        put_in(colour, accession=accession)
    before = sorted(CaseSample.objects.values_list("case", "sample"))
    for colour, accession in order:
        put_in(colour, accession=accession)
    assert sorted(CaseSample.objects.values_list("case", "sample")) == before
    Case.objects.all().delete()


def test_eight_at_once_make_one_case_with_each_sample_once(committed_clinic: Clinic) -> None:
    def send(number: int) -> None:
        for colour in ("red", "green", "blue"):
            put_in(colour, accession="77", patient="MRN-1", seed=number % 2)

    at_once(*[partial(send, number) for number in range(8)])
    assert Case.objects.count() == 1
    assert CaseSample.objects.count() == 6
    assert sorted(CaseSample.objects.values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]
