"""The page on which a case is corrected, withdrawn or reinstated."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from firstread.clinic.shown.corrections import correct_page
from firstread.clinic.steps import correct as correction
from firstread.clinic.steps import withdraw as withdrawal
from firstread.clinic.web.access import page, person_of
from firstread.domain.errors import BadMeasurement, UnknownCheck, WrongState

REFUSED = (BadMeasurement, UnknownCheck, WrongState)


@page()
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """What the form leaves out stays as it is: one click may send the check alone."""
    if request.method != "POST":
        return _shown(request, case_id)
    try:
        correction.correct(
            case_id,
            by=person_of(request),
            accession=request.POST.get("accession"),
            patient=request.POST.get("patient"),
            check=request.POST.get("check"),
            reason=request.POST.get("reason", ""),
        )
    except REFUSED as error:
        return _shown(request, case_id, problem=str(error), given=request.POST)
    messages.success(request, "The case is corrected.", extra_tags="good")
    return redirect("case", case_id)


@page()
@require_POST
def withdraw(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        withdrawal.withdraw(case_id, by=person_of(request), reason=reason)
    except REFUSED as error:
        return _shown(request, case_id, problem=str(error))
    messages.success(request, "The case is withdrawn.", extra_tags="good")
    return redirect("case", case_id)


@page()
@require_POST
def reinstate(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        withdrawal.reinstate(case_id, by=person_of(request), reason=reason)
    except REFUSED as error:
        return _shown(request, case_id, problem=str(error), given=request.POST)
    messages.success(request, "The case is reinstated.", extra_tags="good")
    return redirect("case", case_id)


def _shown(
    request: HttpRequest,
    case_id: uuid.UUID,
    *,
    problem: str = "",
    given: Mapping[str, str] | None = None,
) -> HttpResponse:
    shown = correct_page(case_id, by=person_of(request))
    context = {"page": shown, "problem": problem, "given": given or {}}
    return render(request, "clinic/correct.html", context, status=422 if problem else 200)
