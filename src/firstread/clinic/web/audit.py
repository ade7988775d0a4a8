"""The audit trail as a page for operators."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from firstread.clinic.models import Role
from firstread.clinic.shown.audit_trail import audit_page, verified
from firstread.clinic.web.access import page


@page(Role.OPERATOR)
@require_http_methods(["GET", "POST"])
def trail(request: HttpRequest) -> HttpResponse:
    verdict = verified() if request.method == "POST" else None
    shown = audit_page(request.GET.get("page"), verdict=verdict)
    return render(request, "clinic/audit.html", {"page": shown})
