"""Who there is in the demonstration: made by the server's demo, shown on its sign-in page."""

from __future__ import annotations

from dataclasses import dataclass

from firstread.clinic.models import Role

DEMO_PASSWORD = "firstread-demo"  # noqa: S105 - everybody may know it; it works in the demo only


@dataclass(frozen=True, kw_only=True)
class DemoPerson:
    """Somebody whom everybody may be in the demonstration."""

    name: str
    first: str
    last: str
    role: Role
    does: str
    """In the words of the sign-in page."""


DEMO_PEOPLE = (
    DemoPerson(
        name="tech",
        first="Tomas",
        last="Technician",
        role=Role.TECHNICIAN,
        does="puts samples in",
    ),
    DemoPerson(
        name="haematologist",
        first="Hanna",
        last="Haematologist",
        role=Role.SPECIALIST,
        does="reads every check",
    ),
    DemoPerson(
        name="haematologist2",
        first="Henrik",
        last="Haematologist",
        role=Role.SPECIALIST,
        does="the second reader",
    ),
    DemoPerson(
        name="chief",
        first="Clara",
        last="Chief",
        role=Role.CHIEF,
        does="decides where two differ",
    ),
    DemoPerson(
        name="admin",
        first="Oskar",
        last="Operator",
        role=Role.OPERATOR,
        does="people, checks, audit trail",
    ),
)
