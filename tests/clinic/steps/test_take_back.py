"""An answer is taken back for ten seconds, before anybody saw it; then it stands."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from firstread.clinic import audit
from firstread.clinic.models import (
    AuditRow,
    Case,
    Outgoing,
    Person,
    Review,
    SignOff,
    VoidReview,
    clock,
)
from firstread.clinic.shown.case import look
from firstread.clinic.shown.case_list import newest_cases
from firstread.clinic.shown.worklist import Asked, waiting
from firstread.clinic.shown.worklist_page import worklist_page
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.final import LEAVES_AFTER, TAKEN_BACK_FOR
from firstread.clinic.steps.review import answer
from firstread.clinic.steps.take_back import take_back
from firstread.domain.errors import WrongState
from tests.clinic_for_tests import (
    Clinic,
    at_once,
    outcome,
    put_in_row,
    read_all,
    read_case,
    ten_seconds_pass,
)


def _signed(clinic: Clinic) -> Case:
    """A case that one specialist decides, and whose sender is told."""
    case = put_in_row(accession="R1", by=clinic.tech)
    read_all()
    case.refresh_from_db()
    return answer(case.pk, by=clinic.ana, label=case.finding)


def _letters_to(person: Person) -> list[str]:
    rows = Outgoing.objects.filter(to=person, payload_kind="letter").exclude(state="withdrawn")
    return [row.payload["subject"] for row in rows]


def test_an_answer_that_signed_off_is_taken_back_as_if_it_had_not_been(clinic: Clinic) -> None:
    before = Case.objects.filter(pk=_signed(clinic).pk)
    case = take_back(before.get().pk, by=clinic.ana)
    assert (case.state, case.waits_for, case.decided_at) == ("read", "specialist", None)
    assert not SignOff.objects.exists()
    assert not _letters_to(clinic.tech)
    assert list(waiting(clinic.ana)) == [case]
    assert VoidReview.objects.get().because == "taken_back"
    trail = AuditRow.objects.filter(action__in=("answered", "took_back")).order_by("number")
    assert [row.action for row in trail] == ["answered", "took_back"]
    audit.verify()


def test_it_may_then_be_answered_otherwise_and_who_waits_is_told_once(clinic: Clinic) -> None:
    case = _signed(clinic)
    take_back(case.pk, by=clinic.ana)
    answer(case.pk, by=clinic.ana, label="other", comment="Something else.")
    assert SignOff.objects.get().label == "other"
    assert _letters_to(clinic.tech) == ["Firstread: A case that you sent has been signed off"]


def test_what_tells_of_an_answer_leaves_only_when_it_cannot_be_taken_back(clinic: Clinic) -> None:
    case = _signed(clinic)
    row = Outgoing.objects.get(to=clinic.tech)
    assert row.retry_at is not None
    assert row.retry_at >= case.reviews.get().at + TAKEN_BACK_FOR
    assert row.retry_at <= clock.now() + LEAVES_AFTER


def test_taking_back_twice_is_once(clinic: Clinic) -> None:
    case = _signed(clinic)
    for _ in range(2):
        take_back(case.pk, by=clinic.ana)
    assert AuditRow.objects.filter(action="took_back").count() == 1


def test_after_ten_seconds_it_stands(clinic: Clinic) -> None:
    case = _signed(clinic)
    ten_seconds_pass()
    with pytest.raises(WrongState, match="for ten seconds"):
        take_back(case.pk, by=clinic.ana)


def test_nobody_takes_back_what_another_answered(clinic: Clinic) -> None:
    case = _signed(clinic)
    with pytest.raises(WrongState, match="no answer"):
        take_back(case.pk, by=clinic.bo)


@pytest.mark.parametrize("how", ["opens it", "reads it in a list", "answers", "amends"])
def test_once_another_has_seen_it_it_stands(clinic: Clinic, how: str) -> None:
    case = _signed(clinic) if how == "amends" else read_case("red", accession="A1")
    if how != "amends":
        answer(case.pk, by=clinic.ana, label="red")
    {
        "opens it": partial(look, case.pk, by=clinic.tech),
        "reads it in a list": partial(newest_cases, by=clinic.tech, limit=5),
        "answers": partial(answer, case.pk, by=clinic.bo, label="red"),
        "amends": partial(amend, case.pk, by=clinic.chief, label="other", comment="No."),
    }[how]()
    with pytest.raises(WrongState, match="has been seen"):
        take_back(case.pk, by=clinic.ana)


def test_its_author_looking_on_changes_nothing(clinic: Clinic) -> None:
    case = _signed(clinic)
    assert look(case.pk, by=clinic.ana).take_back_until is not None
    newest_cases(by=clinic.ana, limit=5)
    assert take_back(case.pk, by=clinic.ana).state == "read"


def test_the_chief_is_not_asked_while_the_second_answer_can_be_taken_back(clinic: Clinic) -> None:
    case = read_case("red", accession="A1")
    answer(case.pk, by=clinic.bo, label="blue")
    answer(case.pk, by=clinic.ana, label="red")
    assert take_back(case.pk, by=clinic.ana).waits_for == "specialist"
    assert not _letters_to(clinic.chief)
    assert not waiting(clinic.chief).exists()
    assert [each.by for each in Review.objects.all()] == [clinic.bo]


def test_who_may_take_the_second_answer_back_does_not_learn_the_first(clinic: Clinic) -> None:
    case = read_case("red", accession="A1")
    answer(case.pk, by=clinic.bo, label="blue", comment="So blue.")
    answer(case.pk, by=clinic.ana, label="red")
    view = look(case.pk, by=clinic.ana, veils=True)
    assert (view.case.state, view.case.waits_for, view.veiled) == ("read", "specialist", True)
    assert [each.label for each in view.reviews] == ["red"]
    assert not [line for line in view.history if "differ" in line.sentence]
    assert not view.sign_offs
    ten_seconds_pass()
    view = look(case.pk, by=clinic.ana, veils=True)
    assert (view.case.waits_for, len(view.reviews)) == ("chief", 2)


@pytest.mark.parametrize("where", ["the API", "a list of the API", "the worklist"])
def test_who_learnt_what_came_of_it_takes_nothing_back(clinic: Clinic, where: str) -> None:
    case = read_case("red", accession="A1")
    answer(case.pk, by=clinic.bo, label="blue")
    answer(case.pk, by=clinic.ana, label="red")
    asked = Asked(show="open")
    {
        "the API": partial(look, case.pk, by=clinic.ana),
        "a list of the API": partial(newest_cases, by=clinic.ana, limit=5),
        "the worklist": partial(worklist_page, clinic.ana, asked=asked, number=None),
    }[where]()
    with pytest.raises(WrongState, match="has been seen"):
        take_back(case.pk, by=clinic.ana)


def test_an_answer_taken_back_stays_hidden_from_the_next_reader(clinic: Clinic) -> None:
    case = read_case("red", accession="A1")
    answer(case.pk, by=clinic.ana, label="blue", comment="So blue.")
    take_back(case.pk, by=clinic.ana)
    view = look(case.pk, by=clinic.bo)
    assert (view.answered, view.reviews_hidden) == (0, False)
    said = [line.sentence for line in view.history]
    assert "took the answer back" in said
    assert not [sentence for sentence in said if "lue" in sentence]


def test_an_unfit_case_is_unfit_again(clinic: Clinic) -> None:
    case = read_case("red", accession="A1")
    Case.objects.update(state="unfit", finding="", unfit_reason="Blurred.")
    answer(case.pk, by=clinic.chief, label="red")
    assert take_back(case.pk, by=clinic.chief).state == "unfit"


def test_an_answer_to_the_check_that_its_author_did_not_see_is_refused(clinic: Clinic) -> None:
    case = read_case("red", accession="A1")
    with pytest.raises(WrongState, match="was moved"):
        answer(case.pk, by=clinic.ana, label="red", check="malaria")


def test_a_message_that_has_left_all_the_same_keeps_the_answer(clinic: Clinic) -> None:
    case = _signed(clinic)
    soon = clock.now() + timedelta(seconds=30)
    Outgoing.objects.filter(to=clinic.tech).update(state="waiting", claimed_until=soon)
    with pytest.raises(WrongState, match="told already"):
        take_back(case.pk, by=clinic.ana)
    assert SignOff.objects.count() == 1


def test_a_look_and_a_taking_back_at_the_same_moment_agree(committed_clinic: Clinic) -> None:
    case = _signed(committed_clinic)
    seen = []

    def looks() -> None:
        seen.append(look(case.pk, by=committed_clinic.tech))

    took, _ = at_once(partial(outcome, partial(take_back, case.pk, by=committed_clinic.ana)), looks)
    # Whoever was shown the decision finds it there for good.
    assert bool(seen[0].sign_offs) == (took == "WrongState")
    assert SignOff.objects.exists() == (took == "WrongState")
