"""Whether the clinic works: for a probe, and as a page for operators."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from firstread.clinic.accounts import tokens
from firstread.clinic.condition import condition
from firstread.clinic.models import Person, Role
from firstread.clinic.shown.condition import condition_page, probed
from firstread.clinic.web.access import page
from firstread.domain.errors import NotAllowed


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where samples can be put in, read and shown; else 503. Says which part does not work."""
    parts = condition()
    database = next(part for part in parts if part.name == "database")
    told = probed(parts, by=_asks(request) if database.works else None)
    headers = {"Cache-Control": "no-store"}
    return JsonResponse(told, status=200 if told["ready"] else 503, headers=headers)


def _asks(request: HttpRequest) -> Person | None:
    """The person whose session or token comes with the request."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        try:
            return tokens.person_of(secret.strip(), scope="checks:read")
        except NotAllowed:
            return None
    user: Any = request.user
    return user if isinstance(user, Person) else None


@page(Role.OPERATOR)
@require_GET
def shown(request: HttpRequest) -> HttpResponse:
    return render(request, "clinic/condition.html", {"page": condition_page()})
