"""What stands around every page: where one can go, and how much waits there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from firstread.clinic.models import Person, Role
from firstread.clinic.shown import worklist


@dataclass(frozen=True, kw_only=True)
class Place:
    """One address of the navigation."""

    title: str
    href: str
    icon: str
    here: bool
    count: int = 0


def frame(request: HttpRequest) -> dict[str, Any]:
    """The navigation for this person; nothing for whoever has not signed in."""
    user: Any = getattr(request, "user", None)
    if not isinstance(user, Person):
        return {}
    main = [
        ("Worklist", "worklist", "list"),
        ("Put in", "put-in", "put"),
        ("Outbox", "outbox", "mail"),
    ]
    rest = [("Packs", "packs", "pack"), ("Checks", "checks", "checks")]
    if user.role == Role.OPERATOR:
        rest += [("People", "people", "people"), ("Audit trail", "audit", "audit")]
    here = request.resolver_match.url_name if request.resolver_match else None
    under = {"case": "worklist", "pack": "packs"}
    waits = worklist.waits_for(user)
    places = [
        Place(
            title=title,
            href=reverse(name),
            icon=icon,
            here=under.get(here or "", here) == name,
            count=waits if name == "worklist" else 0,
        )
        for title, name, icon in main + rest
    ]
    return {"places": places, "menu": places[3:]}
