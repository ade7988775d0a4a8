"""What stands around every page: where one can go, and how much waits there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from firstread.clinic.models import Person, Role
from firstread.clinic.shown import worklist
from firstread.clinic.shown.condition import stopped
from firstread.clinic.shown.take_back import newest_answer


@dataclass(frozen=True, kw_only=True)
class Place:
    """One address of the navigation."""

    title: str
    href: str
    icon: str
    here: bool
    counted: bool
    """Whether it says how many cases wait."""


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
        rest += [("Condition", "condition", "pulse")]
    here = request.resolver_match.url_name if request.resolver_match else None
    under = {"case": "worklist", "correct": "worklist", "pack": "packs"}
    places = [
        Place(
            title=title,
            href=reverse(name),
            icon=icon,
            here=under.get(here or "", here) == name,
            counted=name == "worklist",
        )
        for title, name, icon in main + rest
    ]
    # Asked for where it is shown, once; a page that counts by itself gives its own `waits`.
    waits = SimpleLazyObject(lambda: worklist.waits_for(user))
    outages = SimpleLazyObject(stopped) if user.operates else ()
    return {
        "places": places,
        "menu": places[3:],
        "waits": waits,
        "outages": outages,
        "take_back": SimpleLazyObject(lambda: newest_answer(user)),
    }
