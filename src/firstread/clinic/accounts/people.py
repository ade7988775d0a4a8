"""People are added and changed, by an operator or by whoever has the machine."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from firstread.clinic import audit
from firstread.clinic.checks.checks import check_named
from firstread.clinic.models import Check, Person, Reader, Role
from firstread.domain.errors import BadMeasurement, NotAllowed, WrongState


def add_person(
    name: str,
    *,
    password: str,
    role: str,
    email: str = "",
    checks: Collection[str] = (),
    first_name: str = "",
    last_name: str = "",
    by: Person | None,
) -> Person:
    """Add somebody; `by` is None on the command line.

    Raises NotAllowed, BadMeasurement (whose field is the one at fault), WrongState, UnknownCheck.
    """
    _refuse(by)
    reads = [check_named(check) for check in checks]
    person = Person(
        username=name.strip(),
        email=email.strip(),
        role=role,
        first_name=first_name,
        last_name=last_name,
    )
    _refuse_values(person, password)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save()
            Reader.objects.bulk_create(Reader(check_row=check, person=person) for check in reads)
            audit.append(
                "person_added",
                by=by,
                detail={"person": person.pk, "role": role, "reads": [*checks]},
            )
    except IntegrityError:
        raise WrongState(
            f"There is somebody called '{name}' already. Choose another name."
        ) from None
    return person


def person_numbered(number: int) -> Person | None:
    """The person of that number, if there is one."""
    return Person.objects.filter(pk=number).first()


def change_person(
    person: Person,
    *,
    by: Person,
    role: str | None = None,
    email: str | None = None,
    active: bool | None = None,
    checks: Collection[str] | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    password: str | None = None,
) -> Person:
    """Change what is given; raises NotAllowed, BadMeasurement, WrongState, UnknownCheck."""
    _refuse(by)
    if person.pk == by.pk and (active is False or role not in (None, Role.OPERATOR)):
        raise WrongState("You cannot take the operator's role from yourself. Ask another operator.")
    reads = None if checks is None else [check_named(check) for check in checks]
    with transaction.atomic():
        person = Person.objects.get(pk=person.pk)
        person.role = person.role if role is None else role
        person.email = person.email if email is None else email.strip()
        person.is_active = person.is_active if active is None else active
        person.first_name = person.first_name if first_name is None else first_name.strip()
        person.last_name = person.last_name if last_name is None else last_name.strip()
        _refuse_values(person, password)
        if password is not None:
            person.set_password(password)
        person.save()
        if reads is not None:
            person.reads.exclude(check_row__in=reads).delete()
            Reader.objects.bulk_create(
                [Reader(check_row=check, person=person) for check in reads], ignore_conflicts=True
            )
        audit.append(
            "person_changed",
            by=by,
            detail={
                "person": person.pk,
                "role": person.role,
                "active": person.is_active,
                "reads": None if checks is None else sorted(checks),
            },
        )
    return person


def check_called(name: str) -> Check | None:
    """The check of that name, whether it takes samples or not, if there is one."""
    return Check.objects.filter(pk=name).first()


def change_check(
    check: Check,
    *,
    by: Person,
    readers: int | None = None,
    tells_requester: bool | None = None,
    enabled: bool | None = None,
) -> Check:
    """Change who decides the check, and who is told; raises NotAllowed, BadMeasurement."""
    _refuse(by)
    if readers not in (None, 1, 2):
        raise BadMeasurement("A check has one reader or two. Choose one of them.", field="readers")
    with transaction.atomic():
        check = Check.objects.get(pk=check.pk)
        check.readers = check.readers if readers is None else readers
        check.tells_requester = (
            check.tells_requester if tells_requester is None else tells_requester
        )
        check.enabled = check.enabled if enabled is None else enabled
        check.save()
        audit.append(
            "check_changed",
            by=by,
            detail={
                "check": check.pk,
                "readers": check.readers,
                "tells_requester": check.tells_requester,
                "enabled": check.enabled,
            },
        )
    return check


def _refuse(by: Person | None) -> None:
    if by is not None and not (by.is_active and by.operates):
        raise NotAllowed("Only an operator changes people and checks. Ask one.")


def _refuse_values(person: Person, password: str | None) -> None:
    try:
        person.clean_fields(exclude=["password"])
        if person.email:
            validate_email(person.email)
    except ValidationError as error:
        field = next(iter(error.message_dict), "email") if hasattr(error, "error_dict") else "email"
        raise BadMeasurement(
            f"The {field} cannot be used: {error.messages[0]}", field=field
        ) from None
    if password is None:
        return
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise BadMeasurement(" ".join(error.messages), field="password") from None
