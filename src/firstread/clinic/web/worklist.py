"""The worklist page: what waits, the most urgent first, with the sample in front."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from firstread.clinic.shown.worklist_page import Filters, worklist_page
from firstread.clinic.web.access import page, person_of


@page()
@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    shown = worklist_page(
        person_of(request),
        show=request.GET.get("show", ""),
        filters=Filters(
            check=request.GET.get("check", ""),
            priority=request.GET.get("priority", ""),
            # An accession must not stand in an address, so the search is kept in the session.
            text=request.session.get("search", ""),
        ),
        number=request.GET.get("page"),
    )
    part = request.headers.get("HX-Request") == "true"
    context = {"page": shown, "waits": shown.waits}
    return render(request, f"clinic/worklist{'_list' if part else ''}.html", context)


@page()
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    request.session["search"] = request.POST.get("text", "")[:100].strip()
    back = QueryDict(request.POST.get("back", "")[:500], mutable=True)
    back.pop("page", None)
    asked = back.urlencode()
    return HttpResponseRedirect(reverse("worklist") + (f"?{asked}" if asked else ""))
