"""The audit trail as a page for operators."""

from __future__ import annotations

from datetime import datetime

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from firstread.clinic import audit
from firstread.clinic.models import AuditRow, Role
from firstread.clinic.web.access import page
from firstread.domain.errors import AuditBroken


@page(Role.OPERATOR)
@require_http_methods(["GET", "POST"])
def trail(request: HttpRequest) -> HttpResponse:
    verdict, broken = "", False
    if request.method == "POST":
        try:
            rows = audit.verify().rows
            verdict = f"The trail adds up: {rows} rows, none changed, removed or put in."
        except AuditBroken as error:
            verdict, broken = str(error), True
    shown = Paginator(AuditRow.objects.order_by("-number"), 60).get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "rows": [(row, datetime.fromisoformat(row.at)) for row in shown.object_list],
        "verdict": verdict,
        "broken": broken,
    }
    return render(request, "clinic/audit.html", context)
