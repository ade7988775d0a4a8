"""The outbox page: each person's own messages; for an operator everybody's."""

from __future__ import annotations

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from firstread.clinic.models import Outgoing, OutgoingState
from firstread.clinic.web.access import page, person_of
from firstread.connect.mail.settings import MailSettings


@page()
@require_GET
def outbox(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    rows = Outgoing.objects.select_related("to").order_by("-created_at", "-pk")
    if not person.operates:
        rows = rows.filter(to=person)
    state = request.GET.get("state", "")
    shown = rows.filter(state=state) if state in OutgoingState.values else rows
    context = {
        "page": Paginator(shown, 30).get_page(request.GET.get("page")),
        "everybody": person.operates,
        "kept": settings.FIRSTREAD.service(MailSettings).backend == "outbox",
        "tabs": [
            {"title": "All", "href": reverse("outbox"), "here": not state, "count": rows.count()}
        ]
        + [
            {
                "title": title,
                "href": f"{reverse('outbox')}?state={value}",
                "here": value == state,
                "count": rows.filter(state=value).count(),
            }
            for value, title in OutgoingState.choices
        ],
    }
    return render(request, "clinic/outbox.html", context)
