"""The case page: what was read, by what, and what a person decides."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from firstread.clinic.shown import changes
from firstread.clinic.shown.case_page import Given, case_page_of
from firstread.clinic.shown.take_back import case_is_veiled
from firstread.clinic.steps import amend as amendment
from firstread.clinic.steps import reread, review
from firstread.clinic.steps import take_back as taking_back
from firstread.clinic.web.access import page, person_of
from firstread.clinic.web.lists import list_come_from
from firstread.clinic.web.samples import beat_of
from firstread.domain.errors import BadMeasurement, NotAllowed, WrongState


@page()
@require_GET
def case_page(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    shown = case_page_of(
        case_id,
        by=person_of(request),
        cell=request.GET.get("cell", ""),
        beat=beat_of(request),
        came_from=list_come_from(request),
        given=_given(request, case_id),
    )
    return render(request, "clinic/case.html", {"page": shown})


@page()
@require_GET
def stamp(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """A number that grows with the case, by which an open page knows that it is out of date."""
    return HttpResponse(str(changes.stamp(case_id)), content_type="text/plain")


@page()
@require_POST
def answer(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    given = request.POST
    label = given.get("agree") or given.get("agree_anyway") or given.get("label", "")
    # The button that agrees at one press confirms nothing; the other ways take two acts.
    confirm = "" if "agree" in given else given.get("confirm", "")
    comment, by = given.get("comment", ""), person_of(request)
    try:
        case = review.answer(
            case_id,
            by=by,
            label=label,
            comment=comment,
            confirm=confirm,
            check=given.get("check", ""),
            read_at=_moment(given.get("read_at", "")),
        )
    except (WrongState, BadMeasurement, NotAllowed) as error:
        messages.error(request, str(error), extra_tags="alarm")
        chosen = "" if "agree" in given else label
        _keep_given(request, case_id, Given(label=chosen, comment=comment))
        return _to_case(request, case_id)
    if case_is_veiled(case, by=by):
        said = "Your answer is recorded."
    elif case.decided:
        said = "Your answer is recorded, and the case is signed off."
    elif case.waits_for == "chief":
        said = "Your answer is recorded. The two answers differ, so the chief has been asked."
    else:
        said = "Your answer is recorded. The case waits for a second specialist."
    messages.success(request, said, extra_tags="good")
    return _to_case(request, case_id)


@page()
@require_POST
def take_back(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    try:
        taking_back.take_back(case_id, by=person_of(request))
    except WrongState as error:
        messages.error(request, str(error), extra_tags="alarm")
    else:
        messages.success(request, "Your answer is taken back.", extra_tags="good")
    return _to_case(request, case_id)


@page()
@require_POST
def amend(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    label, comment = request.POST.get("label", ""), request.POST.get("comment", "")
    try:
        amendment.amend(case_id, by=person_of(request), label=label, comment=comment)
    except (WrongState, BadMeasurement, NotAllowed) as error:
        messages.error(request, str(error), extra_tags="alarm")
        _keep_given(request, case_id, Given(label=label, comment=comment, amends=True))
    else:
        messages.success(request, "The amendment is recorded.", extra_tags="good")
    return _to_case(request, case_id)


@page()
@require_POST
def read_again(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    try:
        reread.reread(case_id, by=person_of(request))
    except WrongState as error:
        messages.error(request, str(error), extra_tags="alarm")
    else:
        messages.success(request, "It is read again now.", extra_tags="good")
    return _to_case(request, case_id)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:  # an older page does not say it
        return None
    return found if found.tzinfo else None


def _to_case(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """Back to the page of the case, which knows from which list somebody came."""
    return redirect(reverse("case", args=[case_id]) + list_come_from(request).suffix)


def _keep_given(request: HttpRequest, case_id: uuid.UUID, given: Given) -> None:
    # In the session: a comment must stand in no address.
    request.session["given"] = {"case": str(case_id), **asdict(given)}


def _given(request: HttpRequest, case_id: uuid.UUID) -> Given:
    """What was chosen in the form that was refused just now, once."""
    kept = request.session.get("given")
    if not kept or kept.pop("case", "") != str(case_id):
        return Given()
    del request.session["given"]
    return Given(**kept)
