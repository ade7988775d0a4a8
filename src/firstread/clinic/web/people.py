"""People and checks: who may do what, who reads what, who decides."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from firstread.clinic.accounts import people as step
from firstread.clinic.checks import readers
from firstread.clinic.checks.checks import enabled_checks, manifest_of
from firstread.clinic.models import Check, Person, Role
from firstread.clinic.queue.waiting import why_cases_wait
from firstread.clinic.web.access import page, person_of
from firstread.domain.errors import BadMeasurement, FirstreadError, WrongState


@page(Role.OPERATOR)
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _people(request)
    try:
        person = step.add_person(
            request.POST.get("username", ""),
            password=request.POST.get("password", ""),
            by=person_of(request),
            **_details(request),
        )
    except (BadMeasurement, WrongState) as error:
        return _people(request, status=422, problem=str(error), given=_given(request))
    messages.success(request, f"{person.username} may sign in now.", extra_tags="good")
    return redirect("people")


@page(Role.OPERATOR)
@require_POST
def change(request: HttpRequest, person_id: int) -> HttpResponse:
    by = person_of(request)
    person = get_object_or_404(Person, pk=person_id)
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
        return _people(request, status=422, open_person=person_id)
    messages.success(request, f"{person.username} is saved.", extra_tags="good")
    return redirect("people")


@page()
@require_GET
def checks(request: HttpRequest) -> HttpResponse:
    rows = []
    for check in Check.objects.prefetch_related("people"):
        trouble = readers.trouble(check)
        try:
            manifest = manifest_of(check)
        except FirstreadError:
            manifest = None
        rows.append(
            {
                "check": check,
                "trouble": trouble,
                "waits_because": why_cases_wait(check),
                "servers": readers.servers_of(check),
                "manifest": manifest,
            }
        )
    context = {
        "rows": rows,
        "may_change": person_of(request).operates,
        "readers": Check._meta.get_field("readers").choices,
    }
    return render(request, "clinic/checks.html", context)


@page(Role.OPERATOR)
@require_POST
def check(request: HttpRequest, name: str) -> HttpResponse:
    readers = request.POST.get("readers", "")
    saved = step.change_check(
        get_object_or_404(Check, pk=name),
        by=person_of(request),
        readers=int(readers) if readers.isdecimal() else 0,
        tells_requester="tells_requester" in request.POST,
        enabled="enabled" in request.POST,
    )
    messages.success(request, f"{saved.title} is saved.", extra_tags="good")
    return redirect("checks")


def _people(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    rows = list(Person.objects.prefetch_related("checks").order_by("-is_active", "username"))
    for row in rows:
        row.reads_names = [each.name for each in row.checks.all()]  # type: ignore[attr-defined]  # for the template
    context = {
        "people": rows,
        "roles": Role.choices,
        "all_checks": enabled_checks(),
        "given": {"role": Role.SPECIALIST, "reads_names": []},
    }
    return render(request, "clinic/people.html", context | more, status=status)


def _details(request: HttpRequest) -> dict[str, Any]:
    details: dict[str, Any] = {
        key: request.POST.get(key, "") for key in ("first_name", "last_name", "email", "role")
    }
    # Only specialists and chiefs decide, so nobody else is told of cases.
    decides = details["role"] in (Role.SPECIALIST, Role.CHIEF)
    return details | {"checks": request.POST.getlist("reads") if decides else []}


def _given(request: HttpRequest) -> dict[str, Any]:
    keys = ("username", "first_name", "last_name", "email", "role")
    given: dict[str, Any] = {key: request.POST.get(key, "") for key in keys}
    return given | {"reads_names": request.POST.getlist("reads")}
