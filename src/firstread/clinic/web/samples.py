"""Pictures of samples and their evidence maps, for people who may see the case."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from firstread.clinic import evidence, images
from firstread.clinic.models import CaseSample, ReadRow
from firstread.clinic.stored_reads import codes_of
from firstread.clinic.web.access import page
from firstread.domain.errors import UnknownCase

KEPT_S = 3600
"""Samples never change, yet a shared computer should not keep them for long."""


@page()
@require_GET
def image(request: HttpRequest, case_sample: int) -> HttpResponse:
    return _picture(images.display(_sha256(case_sample)), images.SHOWN_AS)


@page()
@require_GET
def thumbnail(request: HttpRequest, case_sample: int) -> HttpResponse:
    return _picture(images.thumbnail(_sha256(case_sample)), images.SHOWN_AS)


@page()
@require_GET
def evidence_map(request: HttpRequest, case_sample: int, place: int) -> HttpResponse:
    """The map of the label in that place: a finding's name would say too much in an address."""
    row = ReadRow.objects.filter(case_sample=case_sample, shadow=False).defer("evidence").first()
    if row is None:
        raise UnknownCase("This sample has no evidence map.")
    codes = codes_of(row)
    if place >= len(codes):
        raise UnknownCase("The pack that read this sample has no such label.")
    return _picture(evidence.png(case_sample, label=codes[place]), "image/png")


def _sha256(case_sample: int) -> str:
    found = CaseSample.objects.filter(pk=case_sample).values_list("sample_id", flat=True).first()
    if found is None:
        raise UnknownCase("There is no such sample.")
    return found


def _picture(data: bytes, media_type: str) -> HttpResponse:
    response = HttpResponse(data, content_type=media_type)
    response["Cache-Control"] = f"private, max-age={KEPT_S}"
    return response
