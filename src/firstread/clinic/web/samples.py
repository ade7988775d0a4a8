"""Pictures of samples, their evidence maps and a recording's numbers, for who may see the case."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from firstread.clinic.shown import samples
from firstread.clinic.shown.kinds import Picture
from firstread.clinic.web.access import page
from firstread.clinic.web.numbers import number_asked

KEPT_S = 3600
"""Samples never change, yet a shared computer should not keep them for long."""
NUMBERS = "application/octet-stream"


@page()
@require_GET
def image(request: HttpRequest, case_sample: int) -> HttpResponse:
    return _picture(samples.image(case_sample, beat=beat_of(request)))


@page()
@require_GET
def thumbnail(request: HttpRequest, case_sample: int) -> HttpResponse:
    return _picture(samples.thumbnail(case_sample))


@page()
@require_GET
def evidence_map(request: HttpRequest, case_sample: int, place: int) -> HttpResponse:
    """The map in that place of those kept: a finding's name would say too much in an address."""
    return _picture(samples.evidence_map(case_sample, place=place))


@page()
@require_GET
def tile(request: HttpRequest, case_sample: int, level: int, number: int) -> HttpResponse:
    """A piece of the signal as little-endian int16, lead after lead."""
    return _kept(samples.tile(case_sample, level=level, number=number), NUMBERS)


@page()
@require_GET
def beats(request: HttpRequest, case_sample: int) -> HttpResponse:
    return _kept(samples.beats(case_sample), NUMBERS)


@page()
@require_GET
def stretches(request: HttpRequest, case_sample: int) -> HttpResponse:
    return _kept(samples.stretches(case_sample), NUMBERS)


def beat_of(request: HttpRequest) -> int | None:
    """Which beat the address asks for, counted from 0; None where it names no number."""
    return number_asked(request.GET.get("beat", ""))


def _picture(picture: Picture) -> HttpResponse:
    return _kept(picture.data, picture.media_type)


def _kept(data: bytes, media_type: str) -> HttpResponse:
    response = HttpResponse(data, content_type=media_type)
    response["Cache-Control"] = f"private, max-age={KEPT_S}"
    return response
