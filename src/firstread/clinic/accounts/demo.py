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


DEMO_PEOPLE = tuple(
    DemoPerson(name=name, first=first, last=last, role=role, does=does)
    for name, first, last, role, does in (
        ("tech", "Tomas", "Technician", Role.TECHNICIAN, "puts samples in"),
        ("haematologist", "Hanna", "Haematologist", Role.SPECIALIST, "reads every check"),
        ("haematologist2", "Henrik", "Haematologist", Role.SPECIALIST, "the second reader"),
        ("chief", "Clara", "Chief", Role.CHIEF, "decides where two differ"),
        ("admin", "Oskar", "Operator", Role.OPERATOR, "people, checks, audit trail"),
    )
)
