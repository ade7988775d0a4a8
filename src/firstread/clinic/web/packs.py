"""Model cards: what each pack is for, how well it was measured to read, and its limits."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from firstread.clinic.shown.packs import card_picture, pack_page, packs_page
from firstread.clinic.web.access import page


@page()
@require_GET
def packs(request: HttpRequest) -> HttpResponse:
    return render(request, "clinic/packs.html", {"page": packs_page()})


@page()
@require_GET
def pack(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "clinic/pack.html", {"page": pack_page(name)})


@page()
@require_GET
def picture(request: HttpRequest, name: str, file: str) -> HttpResponse:
    shown = card_picture(name, file)
    response = HttpResponse(shown.data, content_type=shown.media_type)
    # A drawing may hold a script; opened by itself it must not run either.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response["Cache-Control"] = "private, max-age=3600"
    return response
