"""What the people page shows: who there is, what they may do, and which checks they read."""

from __future__ import annotations

from dataclasses import dataclass

from firstread.clinic.checks.checks import enabled_checks
from firstread.clinic.models import Check, Person, Role


@dataclass(frozen=True, kw_only=True)
class PersonFields:
    """What the form of one person holds."""

    username: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    role: str = Role.SPECIALIST
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PersonShown:
    """One person, and the form to change them."""

    person: Person
    checks: tuple[Check, ...]
    fields: PersonFields


@dataclass(frozen=True, kw_only=True)
class PeoplePage:
    """Everybody, those who may sign in first, and the form to add somebody."""

    people: tuple[PersonShown, ...]
    roles: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]
    given: PersonFields
    """What was given for a new person, where it could not be taken."""
    problem: str
    """Why not."""
    open_person: int | None
    """Whose form is open."""


def people_page(
    *, given: PersonFields | None = None, problem: str = "", open_person: int | None = None
) -> PeoplePage:
    rows = Person.objects.prefetch_related("checks").order_by("-is_active", "username")
    return PeoplePage(
        people=tuple(_shown(person) for person in rows),
        roles=tuple(Role.choices),
        checks=tuple(enabled_checks()),
        given=given or PersonFields(),
        problem=problem,
        open_person=open_person,
    )


def _shown(person: Person) -> PersonShown:
    checks = tuple(person.checks.all())
    fields = PersonFields(
        username=person.username,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        role=person.role,
        reads=tuple(check.name for check in checks),
    )
    return PersonShown(person=person, checks=checks, fields=fields)
