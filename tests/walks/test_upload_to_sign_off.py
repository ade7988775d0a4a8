"""A case from the door to the sign-off, step by step."""

from __future__ import annotations

import logging

import pytest

from firstread.clinic import audit
from firstread.clinic.models import Case, Outgoing
from firstread.clinic.outbox import delivery
from firstread.clinic.shown.case import look
from firstread.clinic.shown.worklist import waiting
from firstread.clinic.steps.amend import amend
from firstread.clinic.steps.review import answer
from firstread.domain.case import CaseState
from firstread.domain.errors import NotAllowed
from tests.clinic_for_tests import Clinic, put_in, put_in_row, read_all


def test_two_specialists_differ_and_the_chief_decides(clinic: Clinic) -> None:
    case = put_in("red", accession="865102", by=clinic.tech)
    assert case.state == CaseState.RECEIVED

    assert read_all() == 1
    case.refresh_from_db()
    assert (case.state, case.finding, case.get_priority_display()) == ("read", "red", "stat")
    assert {*Outgoing.objects.values_list("to__username", flat=True)} == {"ana", "bo"}
    assert list(waiting(clinic.ana)) == [case]

    answer(case.pk, by=clinic.ana, label="red")
    assert not waiting(clinic.ana).exists()
    assert look(case.pk, by=clinic.bo).reviews == ()
    answer(case.pk, by=clinic.bo, label="blue", comment="It is blue.")
    assert list(waiting(clinic.chief)) == [case]
    assert Outgoing.objects.filter(to=clinic.chief).count() == 1

    case = answer(case.pk, by=clinic.chief, label="red")
    assert case.state == CaseState.SIGNED_OFF
    with pytest.raises(NotAllowed, match="Ask the chief"):
        amend(case.pk, by=clinic.bo, label="green", comment="I still see no red.")
    seen_again = "Seen again under the microscope."
    case = amend(case.pk, by=clinic.chief, label="green", comment=seen_again)
    assert case.state == CaseState.AMENDED

    view = look(case.pk, by=clinic.tech)
    assert [each.label for each in view.sign_offs] == ["red", "green"]
    assert "amended it: Green cell" in [line.sentence for line in view.history]
    assert audit.verify().rows > 7


def test_one_specialist_decides_a_row_of_measurements(clinic: Clinic) -> None:
    case = put_in_row(accession="1000025", by=clinic.tech, size=9.0, shape=9.0)
    read_all()
    case = answer(case.pk, by=clinic.ana, label="malignant")
    assert case.state == CaseState.SIGNED_OFF
    assert Outgoing.objects.filter(to=clinic.tech, key__startswith="signed_off").count() == 1


def test_logs_and_mails_hold_no_finding_no_name_and_no_accession(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="firstread"):
        case = put_in("red", accession="ACC-77", patient="MRN-99", by=clinic.tech)
        read_all()
        answer(case.pk, by=clinic.ana, label="red")
        answer(case.pk, by=clinic.bo, label="green")
        answer(case.pk, by=clinic.chief, label="red")
    said = [record.getMessage() for record in caplog.records if record.name.startswith("firstread")]
    said += [str(mail.payload) for mail in Outgoing.objects.all()]
    for word in ("ACC-77", "MRN-99", "red.png", "Red cell", "leukaemia", "Leukaemia"):
        assert not [line for line in said if word in line]
    assert str(Case.objects.get().pk) in "".join(said)


def test_a_kept_mail_is_never_sent(clinic: Clinic) -> None:
    put_in("red")
    read_all()
    assert not delivery.deliver_next("mail")
    assert {mail.state for mail in Outgoing.objects.all()} == {"kept"}
