"""A case that should not be is withdrawn, and may be reinstated; nothing of it is lost."""

from __future__ import annotations

from functools import partial

import pytest

from firstread.clinic import audit
from firstread.clinic.checks import readers
from firstread.clinic.models import AuditRow, Case, Check, Outgoing, ReadRow, Review, SignOff
from firstread.clinic.shown.case import look
from firstread.clinic.shown.worklist import counts, waiting
from firstread.clinic.shown.worklist_rows import rows_of
from firstread.clinic.steps.first_read import read_next
from firstread.clinic.steps.review import answer
from firstread.clinic.steps.withdraw import reinstate, withdraw
from firstread.clinic.storage import store
from firstread.domain.errors import BadMeasurement, NotAllowed, WrongState
from tests.clinic_for_tests import (
    Clinic,
    at_once,
    outcome,
    put_in,
    put_in_row,
    read_all,
    read_case,
)


def _withdrawn(case: Case, clinic: Clinic) -> Case:
    return withdraw(case.pk, by=clinic.tech, reason="Put in twice.")


def test_a_withdrawn_case_leaves_the_worklist_and_is_shown_as_withdrawn(clinic: Clinic) -> None:
    case = read_case("red", accession="A1", by=clinic.tech)
    _withdrawn(case, clinic)
    for person in clinic.people:
        assert not waiting(person).exists()
        assert not waiting(person, mine=False, state="open").exists()
    assert list(waiting(clinic.ana, mine=False, state="withdrawn", text="a1")) == [case]
    assert counts(clinic.ana).withdrawn.number == 1
    view = look(case.pk, by=clinic.ana)
    assert (view.case.state, view.may_answer) == ("withdrawn", False)
    assert "withdrew it: Put in twice." in [line.sentence for line in view.history]
    assert store.open(case.samples.get().sample_id)
    assert ReadRow.objects.count() == 1
    audit.verify()


def test_mails_that_wait_for_it_are_withdrawn_and_events_are_not(clinic: Clinic) -> None:
    case = read_case("red", accession="A1")
    _withdrawn(case, clinic)
    states = set(Outgoing.objects.filter(payload_kind="letter").values_list("state", flat=True))
    assert states == {"withdrawn"}


def test_a_withdrawal_says_why_and_counts_once(clinic: Clinic) -> None:
    case = put_in("red")
    with pytest.raises(BadMeasurement, match="says why"):
        withdraw(case.pk, by=clinic.tech, reason=" ")
    for reason in ("Put in twice.", "Again."):
        withdraw(case.pk, by=clinic.operator, reason=reason)
    assert AuditRow.objects.filter(action="withdrawn").count() == 1


def test_a_withdrawn_case_takes_no_answer_and_is_not_read(clinic: Clinic) -> None:
    read, waits = read_case("red", accession="A1"), put_in("green", accession="A2", seed=5)
    for case in (read, waits):
        _withdrawn(case, clinic)
    with pytest.raises(WrongState, match="has been withdrawn"):
        answer(read.pk, by=clinic.ana, label="red")
    assert read_all() == 0


def test_reinstated_it_is_where_it_was(clinic: Clinic) -> None:
    case = read_case("red", accession="A1")
    for person, label in ((clinic.ana, "red"), (clinic.bo, "blue")):
        answer(case.pk, by=person, label=label)
    _withdrawn(case, clinic)
    for _ in range(2):
        back = reinstate(case.pk, by=clinic.tech, reason="It was right.")
    assert (back.state, back.waits_for, back.withdrawn_at) == ("read", "chief", None)
    assert Review.objects.count() == 2
    waiting_mails = Outgoing.objects.exclude(state="withdrawn").filter(payload_kind="letter")
    assert waiting_mails.filter(to=clinic.chief).count() == 1
    assert answer(case.pk, by=clinic.chief, label="red").state == "signed_off"
    assert AuditRow.objects.filter(action="reinstated").count() == 1


def test_one_that_was_not_read_yet_is_read_once_it_is_reinstated(clinic: Clinic) -> None:
    case = put_in("red", accession="A1")
    _withdrawn(case, clinic)
    reinstate(case.pk, by=clinic.tech, reason="It was right.")
    assert read_all() == 1


def test_a_signed_case_is_withdrawn_by_an_amendment_alone(clinic: Clinic) -> None:
    case = put_in_row(accession="R1", by=clinic.tech)
    read_all()
    case.refresh_from_db()
    answer(case.pk, by=clinic.ana, label=case.finding)
    with pytest.raises(NotAllowed):
        _withdrawn(case, clinic)
    withdraw(case.pk, by=clinic.chief, reason="Another patient's.")
    last = SignOff.objects.order_by("number").last()
    assert last is not None
    assert (last.label, last.comment) == ("withdrawn", "Another patient's.")
    subjects = Outgoing.objects.filter(to=clinic.tech).values_list("payload__subject", flat=True)
    assert "Firstread: A case that you sent has been amended" in subjects
    (row,) = rows_of([case.pk])
    assert (row.decision, row.discordant) == ("Withdrawn", False)
    with pytest.raises(NotAllowed):
        reinstate(case.pk, by=clinic.tech, reason="No.")
    back = reinstate(case.pk, by=clinic.chief, reason="It was his.")
    assert (back.state, back.sign_offs.last().label) == ("amended", case.finding)


def test_who_sent_it_is_told_that_it_is_withdrawn(clinic: Clinic) -> None:
    case = put_in_row(accession="R1", by=clinic.tech)
    withdraw(case.pk, by=clinic.operator, reason="Put in twice.")
    told = Outgoing.objects.get(to=clinic.tech)
    assert told.payload["subject"] == "Firstread: A case that you sent has been withdrawn"


def test_what_was_withdrawn_and_comes_in_again_is_refused_with_the_way_out(clinic: Clinic) -> None:
    case = put_in("red", accession="A1")
    _withdrawn(case, clinic)
    for colours in (("red",), ("green", "red")):
        with pytest.raises(WrongState, match="Reinstate that case"):
            put_in(*colours, accession="A1", seed=1 if len(colours) == 1 else 0)
    other = put_in("red", accession="A2")
    assert (other.pk != case.pk, other.state) == (True, "received")


def test_other_samples_of_the_accession_open_the_next_part_without_its_patient(
    clinic: Clinic,
) -> None:
    case = put_in("red", accession="A1", patient="P1")
    _withdrawn(case, clinic)
    other = put_in("blue", accession="A1", seed=7, patient="P2")
    assert (other.part, other.patient.identifier) == (2, "P2")


def test_what_a_worker_reads_meanwhile_is_not_written(clinic: Clinic) -> None:
    case = put_in("red", accession="A1")

    def withdrawn_meanwhile(check: Check) -> readers.CheckReader:
        _withdrawn(case, clinic)
        return readers.reader_of(check)

    assert read_next(withdrawn_meanwhile)
    case.refresh_from_db()
    assert (case.state, ReadRow.objects.count()) == ("withdrawn", 0)


def test_an_answer_and_a_withdrawal_at_the_same_moment_end_in_one_state(
    committed_clinic: Clinic,
) -> None:
    case = read_case("red", accession="A1")
    said = at_once(
        partial(outcome, partial(answer, case.pk, by=committed_clinic.chief, label="red")),
        partial(outcome, partial(_withdrawn, case, committed_clinic)),
    )
    case.refresh_from_db()
    assert (said.count("done"), case.state) in {
        (1, "withdrawn"),  # the answer came too late
        (1, "signed_off"),  # the withdrawal did, which then takes an amendment
    }
    audit.verify()
