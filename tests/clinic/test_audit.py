"""The audit trail shows what was changed, removed or put in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstread.clinic import audit
from firstread.clinic.models import AuditHead, AuditRow
from firstread.domain.errors import AuditBroken
from tests.clinic_for_tests import Clinic, put_in, read_all


def _write(count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            audit.append("viewed", by=None, detail={"number": number})


@pytest.mark.django_db
def test_an_untouched_trail_adds_up() -> None:
    _write(5)
    assert audit.verify().rows == 5


@pytest.mark.django_db
def test_an_empty_trail_adds_up() -> None:
    assert audit.verify().rows == 0


def _change(field: str, value: object) -> Callable[[], object]:
    return lambda: AuditRow.objects.filter(number=3).update(**{field: value})


def _put_in_between() -> None:
    row = AuditRow.objects.get(number=3)
    AuditRow.objects.filter(number=5).update(number=6)
    row.number = 5
    row.save(force_insert=True)


TAMPERING: dict[str, tuple[Callable[[], object], str]] = {
    "another actor": (_change("actor", "somebody"), "Row 3 .* changed"),
    "another action": (_change("action", "deleted"), "Row 3 .* changed"),
    "another time": (_change("at", "2020-01-01T00:00:00+00:00"), "Row 3 .* changed"),
    "another detail": (_change("detail", {"number": 99}), "Row 3 .* changed"),
    "another seal": (_change("seal", "f" * 64), "Row 3 .* changed"),
    "another previous": (_change("previous", "f" * 64), "Row 3 .* does not follow row 2"),
    "the first removed": (lambda: AuditRow.objects.filter(number=1).delete(), "Row 1 .* missing"),
    "two removed": (
        lambda: AuditRow.objects.filter(number__in=(2, 3)).delete(),
        "Rows 2 to 3 .* are missing",
    ),
    "the end cut off": (
        lambda: AuditRow.objects.filter(number__gt=3).delete(),
        "4 to 5 .* missing",
    ),
    "all removed": (lambda: AuditRow.objects.all().delete(), "Rows 1 to 5 .* missing"),
    "one put in": (_put_in_between, "does not follow"),
    "the head removed": (lambda: AuditHead.objects.all().delete(), "lost its head"),
    "the head turned back": (
        lambda: (AuditRow.objects.filter(number=5).delete(), AuditHead.objects.update(number=4)),
        "head of the audit trail was changed",
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found_and_the_row_named(how: str) -> None:
    _write(5)
    tamper, sentence = TAMPERING[how]
    tamper()
    with pytest.raises(AuditBroken, match=sentence):
        audit.verify()


@pytest.mark.django_db
def test_a_removed_head_does_not_heal_when_work_goes_on() -> None:
    _write(5)
    AuditRow.objects.filter(number__gt=3).delete()
    AuditHead.objects.all().delete()
    _write(2)
    with pytest.raises(AuditBroken, match=r"Row 4 .* missing"):
        audit.verify()


def test_a_trail_wiped_with_its_head_is_found_by_its_cases(clinic: Clinic) -> None:
    case = put_in("red")
    read_all()
    AuditRow.objects.all().delete()
    AuditHead.objects.all().delete()
    with pytest.raises(AuditBroken, match=str(case.pk)):
        audit.verify()


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_one_changed_value_is_found(data: st.DataObject) -> None:
    with transaction.atomic():
        AuditRow.objects.all().delete()
        AuditHead.objects.all().delete()
        _write(4)
        row = AuditRow.objects.get(number=data.draw(st.integers(1, 4)))
        field = data.draw(st.sampled_from(["actor", "action", "at", "previous", "seal"]))
        before = getattr(row, field)
        value = data.draw(st.text("abcdef0123456789", max_size=40).filter(lambda v: v != before))
        AuditRow.objects.filter(pk=row.pk).update(**{field: value})
        with pytest.raises(AuditBroken):
            audit.verify()
