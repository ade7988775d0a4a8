"""People and checks are changed by operators only, and every change is in the trail."""

from __future__ import annotations

import pytest

from firstread.clinic.accounts.people import add_person, change_check, change_person
from firstread.clinic.models import AuditRow, Person
from firstread.domain.errors import BadMeasurement, NotAllowed, UnknownCheck, WrongState
from tests.clinic_for_tests import Clinic

GOOD = "a long passphrase"


def test_an_operator_adds_a_specialist_who_reads_a_check(clinic: Clinic) -> None:
    person = add_person(
        "cy", password=GOOD, role="specialist", checks=["leukaemia"], by=clinic.operator
    )
    assert person.check_password(GOOD)
    assert [each.check_row_id for each in person.reads.all()] == ["leukaemia"]
    assert AuditRow.objects.get(action="person_added").actor == "operator"


@pytest.mark.parametrize("who", ["tech", "ana", "chief"])
def test_others_change_nobody(clinic: Clinic, who: str) -> None:
    by = getattr(clinic, who)
    with pytest.raises(NotAllowed):
        add_person("cy", password=GOOD, role="chief", by=by)
    with pytest.raises(NotAllowed):
        change_person(clinic.bo, by=by, role="chief")
    with pytest.raises(NotAllowed):
        change_check(clinic.leukaemia, by=by, readers=1)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"password": "short"}, "password"),
        ({"name": "two words"}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"role": "king"}, "role"),
    ],
)
def test_what_cannot_be_used_is_named(clinic: Clinic, given: dict[str, str], field: str) -> None:
    words = {"name": "cy", "password": GOOD, "role": "chief", "email": ""} | given
    name = words.pop("name")
    with pytest.raises(BadMeasurement) as caught:
        add_person(name, **words, by=clinic.operator)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert not Person.objects.filter(username=name).exists()


def test_a_name_is_given_once(clinic: Clinic) -> None:
    with pytest.raises(WrongState, match="already"):
        add_person("ana", password=GOOD, role="chief", by=clinic.operator)


def test_an_unknown_check_is_refused(clinic: Clinic) -> None:
    with pytest.raises(UnknownCheck):
        change_person(clinic.ana, by=clinic.operator, checks=["malaria"])


def test_a_person_stops_reading_a_check_and_is_closed(clinic: Clinic) -> None:
    person = change_person(clinic.ana, by=clinic.operator, checks=["leukaemia"], active=False)
    assert [each.check_row_id for each in person.reads.all()] == ["leukaemia"]
    assert not person.is_active


def test_an_operator_does_not_shut_themselves_out(clinic: Clinic) -> None:
    with pytest.raises(WrongState):
        change_person(clinic.operator, by=clinic.operator, active=False)
    with pytest.raises(WrongState):
        change_person(clinic.operator, by=clinic.operator, role="chief")


def test_a_check_asks_for_one_reader_or_two(clinic: Clinic) -> None:
    assert change_check(clinic.leukaemia, by=clinic.operator, readers=1).readers == 1
    with pytest.raises(BadMeasurement):
        change_check(clinic.leukaemia, by=clinic.operator, readers=3)
