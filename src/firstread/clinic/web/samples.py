"""Pictures of samples and their evidence maps, for people who may see the case.

A recording's picture is drawn: ten seconds on ECG paper, and for the worklist a beat or two.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from firstread.clinic.models import ReadRow, Sample
from firstread.clinic.shown import ecg_strips, evidence, pictures
from firstread.clinic.storage.reads import maps_of
from firstread.clinic.web.access import page
from firstread.domain.errors import UnknownCase

SVG = "image/svg+xml"
KEPT_S = 3600
"""Samples never change, yet a shared computer should not keep them for long."""
_MOST_DIGITS = 9
"""Of a beat's number; Python itself refuses numbers of thousands of digits."""


@page()
@require_GET
def image(request: HttpRequest, case_sample: int) -> HttpResponse:
    sample = sample_of(case_sample)
    if sample.kind == "recording":
        return _picture(ecg_strips.ten_seconds(case_sample, beat=beat_of(request)).encode(), SVG)
    return _picture(pictures.display(sample.sha256), pictures.SHOWN_AS)


@page()
@require_GET
def thumbnail(request: HttpRequest, case_sample: int) -> HttpResponse:
    sample = sample_of(case_sample)
    if sample.kind == "recording":
        return _picture(ecg_strips.thumbnail(case_sample).encode(), SVG)
    return _picture(pictures.thumbnail(sample.sha256), pictures.SHOWN_AS)


@page()
@require_GET
def evidence_map(request: HttpRequest, case_sample: int, place: int) -> HttpResponse:
    """The map in that place of those kept: a finding's name would say too much in an address."""
    sample_of(case_sample, kind="image")
    row = ReadRow.objects.without_arrays().filter(case_sample=case_sample).first()
    if row is None:
        raise UnknownCase("This sample has no evidence map.")
    maps = maps_of(row)
    if place >= len(maps):
        raise UnknownCase("This sample has no evidence map of such a label.")
    return _picture(evidence.png(case_sample, label=maps[place]), "image/png")


def beat_of(request: HttpRequest) -> int | None:
    """Which beat the address asks for, counted from 0; None where it names no number."""
    asked = request.GET.get("beat", "")
    return int(asked) if asked.isdecimal() and len(asked) <= _MOST_DIGITS else None


def sample_of(case_sample: int, *, kind: str = "") -> Sample:
    """The sample in that place of a case; raises UnknownCase where it is of another kind."""
    found = Sample.objects.filter(in_cases=case_sample).first()
    if found is None or (kind and found.kind != kind):
        raise UnknownCase("There is no such sample.")
    return found


def _picture(data: bytes, media_type: str) -> HttpResponse:
    response = HttpResponse(data, content_type=media_type)
    response["Cache-Control"] = f"private, max-age={KEPT_S}"
    return response
