"""The outbox page: each person's own messages; for an operator everybody's, to be sent again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from firstread.clinic.models import Role
from firstread.clinic.outbox import resend as step
from firstread.clinic.shown.outbox import outbox_of
from firstread.clinic.web.access import page, person_of
from firstread.clinic.web.numbers import number_asked


@page()
@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    shown = outbox_of(
        person_of(request),
        state=request.GET.get("state", ""),
        channel=request.GET.get("channel", ""),
        before=number_asked(request.GET.get("before", "")),
    )
    return render(request, "clinic/outbox.html", {"page": shown})


@page(Role.OPERATOR)
@require_POST
def resend(request: HttpRequest, number: int) -> HttpResponse:
    step.resend(number, by=person_of(request))
    messages.success(request, "It leaves again now.", extra_tags="good")
    back = QueryDict(request.POST.get("back", ""))
    kept = urlencode({key: back[key] for key in ("state", "channel") if key in back})
    return redirect(f"{reverse('outbox')}?{kept}" if kept else reverse("outbox"))
