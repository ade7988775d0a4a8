"""The worklist page: what waits, the most urgent first, with the sample in front."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from firstread.clinic.shown.worklist_page import worklist_page
from firstread.clinic.web.access import page, person_of
from firstread.clinic.web.lists import keep_search, list_asked


@page()
@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    shown = worklist_page(
        person_of(request),
        asked=list_asked(request, request.GET),
        number=request.GET.get("page"),
    )
    part = request.headers.get("HX-Request") == "true"
    context = {"page": shown, "waits": shown.waits}
    return render(request, f"clinic/worklist{'_list' if part else ''}.html", context)


@page()
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    back = QueryDict(request.POST.get("back", "")[:500], mutable=True)
    for left in ("page", "found"):
        back.pop(left, None)
    if text := request.POST.get("text", "")[:100].strip():
        back["found"] = keep_search(request, text)
    asked = back.urlencode()
    return HttpResponseRedirect(reverse("worklist") + (f"?{asked}" if asked else ""))
