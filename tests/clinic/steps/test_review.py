"""Answers: who may give them, when, and what they come to."""

from __future__ import annotations

import uuid
from functools import partial

import pytest

from firstread.clinic.models import AuditRow, Case, Outgoing, Review, SignOff
from firstread.clinic.shown.case import look
from firstread.clinic.shown.worklist import counts, waiting
from firstread.clinic.shown.worklist_rows import rows_of
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.review import answer
from firstread.clinic.steps.who_may import answers_for
from firstread.domain.errors import BadMeasurement, NotAllowed, UnknownCase, WrongState
from tests.clinic_for_tests import Clinic, at_once, put_in, read_all, read_case


def test_two_equal_answers_sign_off(clinic: Clinic) -> None:
    case = read_case("red")
    assert answer(case.pk, by=clinic.ana, label="red").state == "read"
    case = answer(case.pk, by=clinic.bo, label="red")
    assert (case.state, case.sign_offs.get().basis) == ("signed_off", "two_readers")


def test_the_same_answer_again_is_one(clinic: Clinic) -> None:
    case = read_case("red")
    for _ in range(2):
        answer(case.pk, by=clinic.ana, label="red")
    assert Review.objects.count() == 1


def test_an_answer_is_not_taken_back(clinic: Clinic) -> None:
    case = read_case("red")
    answer(case.pk, by=clinic.ana, label="red")
    with pytest.raises(WrongState, match="You have answered already"):
        answer(case.pk, by=clinic.ana, label="green")


def test_who_saw_the_case_before_it_got_more_samples_looks_again(clinic: Clinic) -> None:
    seen = read_case("green", accession="77")
    put_in("red", accession="77", seed=9)
    read_all()
    with pytest.raises(WrongState, match="read anew meanwhile, maybe with more samples"):
        answer(seen.pk, by=clinic.ana, label="green", read_at=seen.read_at)
    assert not Review.objects.exists()
    seen.refresh_from_db()
    assert seen.read_at is not None
    in_json = seen.read_at.replace(microsecond=seen.read_at.microsecond // 1000 * 1000)
    answer(seen.pk, by=clinic.ana, label="green", read_at=in_json)


@pytest.mark.parametrize("who", ["tech", "operator"])
def test_technicians_and_operators_do_not_answer(clinic: Clinic, who: str) -> None:
    case = read_case("red")
    with pytest.raises(NotAllowed):
        answer(case.pk, by=getattr(clinic, who), label="red")


def test_a_specialist_of_another_check_does_not_answer(clinic: Clinic) -> None:
    case = read_case("red")
    clinic.ana.reads.filter(check_row="leukaemia").delete()
    with pytest.raises(NotAllowed):
        answer(case.pk, by=clinic.ana, label="red")


def test_a_case_that_is_not_read_yet_takes_no_answer(clinic: Clinic) -> None:
    with pytest.raises(WrongState, match="has not been read yet"):
        answer(put_in("red").pk, by=clinic.ana, label="red")


def test_a_label_that_is_none_is_refused(clinic: Clinic) -> None:
    case = read_case("red")
    with pytest.raises(BadMeasurement):
        answer(case.pk, by=clinic.ana, label="purple")


def test_something_else_needs_words(clinic: Clinic) -> None:
    case = read_case("red")
    with pytest.raises(BadMeasurement, match="Say in the comment"):
        answer(case.pk, by=clinic.ana, label="other")
    answer(case.pk, by=clinic.ana, label="other", comment="A megakaryocyte.")


def test_when_two_differ_a_third_specialist_has_no_say_and_the_chief_is_told_once(
    clinic: Clinic,
) -> None:
    case = read_case("red")
    answer(case.pk, by=clinic.ana, label="red")
    answer(case.pk, by=clinic.bo, label="blue")
    third = clinic.bo.__class__.objects.create_user("cy", role="specialist")
    third.reads.create(check_row=clinic.leukaemia)
    with pytest.raises(WrongState, match="waits for the chief"):
        answer(case.pk, by=third, label="red")
    assert Outgoing.objects.filter(to=clinic.chief).count() == 1
    assert answer(case.pk, by=clinic.chief, label="blue").sign_offs.get().basis == "chief"


def test_there_is_no_answer_to_a_case_that_is_not(clinic: Clinic) -> None:
    for number in (uuid.uuid4(), "nonsense"):
        with pytest.raises(UnknownCase):
            answer(number, by=clinic.ana, label="red")


def test_of_many_cells_one_may_say_that_none_is_alarming(clinic: Clinic) -> None:
    assert "no-alarm" not in dict(answers_for(read_case("red")))
    assert "no-alarm" in dict(answers_for(read_case("green", "blue", accession="2")))


def test_an_unfit_case_is_read_unaided(clinic: Clinic) -> None:
    case = read_case("red")
    Case.objects.update(state="unfit", finding="", probability=None)
    answer(case.pk, by=clinic.ana, label="green")
    assert answer(case.pk, by=clinic.bo, label="green").state == "signed_off"


def test_the_second_reader_is_not_led_by_the_first(clinic: Clinic) -> None:
    case = read_case("red")
    answer(case.pk, by=clinic.ana, label="blue", comment="So blue.")
    for person in (clinic.bo, clinic.tech, clinic.operator):
        view = look(case.pk, by=person)
        assert (view.reviews, view.answered, view.reviews_hidden) == ((), 1, True)
        assert not [line for line in view.history if "Blue" in line.sentence]
    assert look(case.pk, by=clinic.chief).reviews[0].label == "blue"
    assert look(case.pk, by=clinic.ana).reviews[0].comment == "So blue."
    answer(case.pk, by=clinic.bo, label="red")
    assert len(look(case.pk, by=clinic.bo).reviews) == 2


def test_a_look_leaves_one_trace_a_minute(clinic: Clinic) -> None:
    case = read_case("red")
    for _ in range(3):
        look(case.pk, by=clinic.ana)
    look(case.pk, by=clinic.bo)
    assert AuditRow.objects.filter(action="viewed").count() == 2


def test_a_case_of_many_cells_takes_no_more_queries(clinic: Clinic) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    one, many = read_case("red"), read_case(*["green", "red"] * 6, accession="2")
    counted = []
    for case in (one, many):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            look(case.pk, by=clinic.ana)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_an_amendment_needs_a_reason_and_keeps_what_was_said(clinic: Clinic) -> None:
    case = read_case("red")
    answer(case.pk, by=clinic.chief, label="red")
    with pytest.raises(BadMeasurement, match="comment"):
        amend(case.pk, by=clinic.chief, label="blue", comment="  ")
    with pytest.raises(WrongState, match="says so already"):
        amend(case.pk, by=clinic.chief, label="red", comment="Again.")
    for _ in range(2):
        amend(case.pk, by=clinic.chief, label="blue", comment="A second smear.")
    assert [each.label for each in SignOff.objects.order_by("number")] == ["red", "blue"]


@pytest.mark.parametrize("who", ["tech", "operator", "ana"])
def test_only_the_chief_and_who_answered_may_amend(clinic: Clinic, who: str) -> None:
    case = read_case("red")
    answer(case.pk, by=clinic.chief, label="red")
    with pytest.raises(NotAllowed):
        amend(case.pk, by=getattr(clinic, who), label="blue", comment="No.")


def test_the_word_of_the_chief_is_amended_by_the_chief_only(clinic: Clinic) -> None:
    case = read_case("red")
    answer(case.pk, by=clinic.ana, label="red")
    answer(case.pk, by=clinic.bo, label="blue")
    answer(case.pk, by=clinic.chief, label="green")
    with pytest.raises(NotAllowed, match="chief has decided"):
        amend(case.pk, by=clinic.ana, label="red", comment="I was right.")
    assert not look(case.pk, by=clinic.ana).may_amend
    assert amend(case.pk, by=clinic.chief, label="blue", comment="On reflection.")


def test_what_two_agreed_none_of_them_amends_alone(clinic: Clinic) -> None:
    case = read_case("red")
    for person in (clinic.ana, clinic.bo):
        answer(case.pk, by=person, label="red")
    with pytest.raises(NotAllowed, match="Two specialists agreed on this case"):
        amend(case.pk, by=clinic.ana, label="blue", comment="On reflection.")
    assert look(case.pk, by=clinic.bo).why_not.startswith("Two specialists agreed")
    amend(case.pk, by=clinic.chief, label="blue", comment="A second smear.")
    with pytest.raises(NotAllowed):
        amend(case.pk, by=clinic.bo, label="red", comment="No, red.")


def test_what_else_it_is_can_be_corrected(clinic: Clinic) -> None:
    case = read_case("red")
    answer(case.pk, by=clinic.chief, label="other", comment="A smudge.")
    for _ in range(2):
        amend(case.pk, by=clinic.chief, label="other", comment="A giant platelet.")
    assert [each.comment for each in SignOff.objects.order_by("number")] == [
        "A smudge.",
        "A giant platelet.",
    ]


def test_an_open_case_is_not_amended(clinic: Clinic) -> None:
    with pytest.raises(WrongState, match="not signed off yet"):
        amend(read_case("red").pk, by=clinic.chief, label="blue", comment="No.")


def test_the_worklist_shows_each_what_waits_for_them(clinic: Clinic) -> None:
    stat = read_case("red", accession="A1", by=clinic.tech)
    calm = read_case("green", accession="A2", by=clinic.tech, seed=4)
    assert list(waiting(clinic.ana)) == [stat, calm]
    assert list(waiting(clinic.tech)) == [stat, calm]
    assert not waiting(clinic.chief).exists()
    answer(stat.pk, by=clinic.ana, label="red")
    assert list(waiting(clinic.ana)) == [calm]
    assert list(waiting(clinic.bo)) == [stat, calm]
    answer(stat.pk, by=clinic.bo, label="blue")
    assert list(waiting(clinic.chief)) == [stat]
    (row,) = rows_of([stat.pk])
    assert (row.cells, row.answered) == (1, "2 of 2 answered")
    assert list(waiting(clinic.bo, mine=False, text="a2")) == [calm]
    assert list(waiting(clinic.bo, mine=False, priority="stat")) == [stat]
    answer(stat.pk, by=clinic.chief, label="red")
    assert list(waiting(clinic.bo, mine=False, state="decided")) == [stat]
    held = counts(clinic.bo)
    assert [each.number for each in (held.mine, held.open, held.decided)] == [1, 1, 1]


def test_two_answers_at_the_same_moment_both_count(committed_clinic: Clinic) -> None:
    put_in("red")
    read_all()
    case = Case.objects.get()
    both = (committed_clinic.ana, committed_clinic.bo)
    at_once(*[partial(answer, case.pk, by=person, label="red") for person in both])
    case.refresh_from_db()
    assert (case.state, Review.objects.count(), SignOff.objects.count()) == ("signed_off", 2, 1)
