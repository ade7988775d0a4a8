"""People and checks: who may do what, who reads what, who decides."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from firstread.clinic.accounts import people as step
from firstread.clinic.models import Role
from firstread.clinic.shown.checks import checks_page
from firstread.clinic.shown.people import PersonFields, people_page
from firstread.clinic.web.access import page, person_of
from firstread.domain.errors import BadMeasurement, WrongState


@page(Role.OPERATOR)
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "clinic/people.html", {"page": people_page()})
    try:
        person = step.add_person(
            request.POST.get("username", ""),
            password=request.POST.get("password", ""),
            by=person_of(request),
            **_details(request),
        )
    except (BadMeasurement, WrongState) as error:
        shown = people_page(given=_given(request), problem=str(error))
        return render(request, "clinic/people.html", {"page": shown}, status=422)
    messages.success(request, f"{person.username} may sign in now.", extra_tags="good")
    return redirect("people")


@page(Role.OPERATOR)
@require_POST
def change(request: HttpRequest, person_id: int) -> HttpResponse:
    by = person_of(request)
    person = step.person_numbered(person_id)
    if person is None:
        raise Http404
    try:
        person = step.change_person(
            person,
            by=by,
            active=by.pk == person_id or "active" in request.POST,
            password=request.POST.get("password") or None,
            **_details(request),
        )
    except (BadMeasurement, WrongState) as error:
        messages.error(request, str(error), extra_tags="alarm")
        shown = people_page(open_person=person_id)
        return render(request, "clinic/people.html", {"page": shown}, status=422)
    messages.success(request, f"{person.username} is saved.", extra_tags="good")
    return redirect("people")


@page()
@require_GET
def checks(request: HttpRequest) -> HttpResponse:
    shown = checks_page(may_change=person_of(request).operates)
    return render(request, "clinic/checks.html", {"page": shown})


@page(Role.OPERATOR)
@require_POST
def check(request: HttpRequest, name: str) -> HttpResponse:
    found = step.check_called(name)
    if found is None:
        raise Http404
    readers = request.POST.get("readers", "")
    saved = step.change_check(
        found,
        by=person_of(request),
        readers=int(readers) if readers.isdecimal() else 0,
        tells_requester="tells_requester" in request.POST,
        enabled="enabled" in request.POST,
    )
    messages.success(request, f"{saved.title} is saved.", extra_tags="good")
    return redirect("checks")


def _details(request: HttpRequest) -> dict[str, Any]:
    details: dict[str, Any] = {
        key: request.POST.get(key, "") for key in ("first_name", "last_name", "email", "role")
    }
    # Only specialists and chiefs decide, so nobody else is told of cases.
    decides = details["role"] in (Role.SPECIALIST, Role.CHIEF)
    return details | {"checks": request.POST.getlist("reads") if decides else []}


def _given(request: HttpRequest) -> PersonFields:
    given = request.POST
    return PersonFields(
        username=given.get("username", ""),
        first_name=given.get("first_name", ""),
        last_name=given.get("last_name", ""),
        email=given.get("email", ""),
        role=given.get("role", ""),
        reads=tuple(given.getlist("reads")),
    )
