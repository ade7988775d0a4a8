"""Putting samples in: pictures, recordings, one row of measurements, or a table of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from firstread.clinic.checks.checks import manifest_of
from firstread.clinic.doors.table import receive_table
from firstread.clinic.models import Check
from firstread.clinic.shown.put_in import chosen_check, put_in_page
from firstread.clinic.steps import intake
from firstread.clinic.steps.files import Incoming
from firstread.clinic.steps.kinds import KINDS
from firstread.clinic.web.access import page, person_of
from firstread.domain.errors import BadMeasurement, FirstreadError
from firstread.packs import Measurement
from firstread.tables.numbers import number_of

DOOR = "page"
ONE_OR_EACH = "Say whether these are one case or a case each, and put them in again."
TABLE_MOST_BYTES = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one file or row."""

    name: str
    says: str
    case: str | None = None
    accession: str | None = None
    url: str | None = None
    error: bool = False


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the page says of what was sent to it."""

    results: Sequence[Result] = ()
    told: Sequence[Result] = ()
    """What was not read of a table, or had to be supposed."""
    taken: int = 0
    problem: str = ""
    wrong: str = ""
    """The code of the measurement that `problem` is about."""
    way: str = ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A measurement's place in the form, with what was typed into it."""

    asks: Measurement
    given: str
    shown: float
    missing: bool


@page()
@require_http_methods(["GET", "POST"])
def put_in(request: HttpRequest) -> HttpResponse:
    chosen = chosen_check(request.POST.get("check") or request.GET.get("check", ""))
    if request.method != "POST":
        return _shown(request, chosen)
    if chosen is None:
        return _no_check(request)
    if KINDS[chosen.kind].row is None:
        return _files(request, chosen)
    if request.POST.get("way") == "table":
        return _table(request, chosen)
    return _row(request, chosen)


def _no_check(request: HttpRequest) -> HttpResponse:
    if "application/json" in request.headers.get("Accept", ""):
        bad = _bad("", "Choose the check that the samples are for.")
        return JsonResponse({"results": [asdict(bad)]}, status=422)
    return _shown(request, None, status=422)


def _shown(
    request: HttpRequest, chosen: Check | None, *, status: int = 200, said: Said | None = None
) -> HttpResponse:
    shown = put_in_page(chosen)
    context = {
        "page": shown,
        "fields": [_field(each, request) for each in shown.measurements],
        "given": request.POST,
        "said": said or Said(),
    }
    return render(request, "clinic/put_in.html", context, status=status)


def _field(asks: Measurement, request: HttpRequest) -> Field:
    given = request.POST.get(f"m-{asks.code}", "")
    try:
        shown = float(given)
    except ValueError:
        shown = asks.minimum
    missing = f"missing-{asks.code}" in request.POST
    return Field(asks=asks, given=given, shown=shown, missing=missing)


def _files(request: HttpRequest, check: Check) -> HttpResponse:
    """One result for each file, in their order; one too large keeps none of the others out."""
    most_mb = settings.FIRSTREAD.server.upload_mb
    files = request.FILES.getlist("sample")
    fits = [(file.size or 0) <= most_mb * 2**20 for file in files]
    incoming = [
        Incoming(data=file.read(), name=_name(file))
        for file, fitting in zip(files, fits, strict=True)
        if fitting
    ]
    cases = _cases_of(request, check, incoming) if incoming or not files else []
    results = [] if cases else [_bad(file.name, ONE_OR_EACH) for file in incoming]
    for each, accession in cases:
        try:
            received = intake.receive(
                each,
                check=check.name,
                door=DOOR,
                accession=accession,
                patient=request.POST.get("patient", ""),
                by=person_of(request),
            )
        except FirstreadError as error:
            results += [_bad(file.name, str(error)) for file in each] or [_bad("", str(error))]
        else:
            results += _of_files(each, received)
    for place, fitting in enumerate(fits):
        if not fitting:
            said = f"This file is larger than {most_mb} MB. Send a smaller one."
            results.insert(place, _bad(_name(files[place]), said))
    return _answered(request, check, results)


def _cases_of(
    request: HttpRequest, check: Check, files: Sequence[Incoming]
) -> list[tuple[Sequence[Incoming], str]]:
    """The files of each case that they are to be, with its accession; none where nobody said."""
    samples = KINDS[check.kind].together(files)
    told = request.POST.get("together", "") if check.many and len(samples) > 1 else "one"
    if told == "one":
        return [(files, request.POST.get("accession", ""))]
    if told == "each":  # one number for several would make them one case
        return [([files[place] for place in places], "") for places in samples]
    return []


def _of_files(incoming: Sequence[Incoming], received: intake.Received) -> list[Result]:
    refused = {refusal.place: refusal.reason for refusal in received.refused}
    case = str(received.case.pk)
    good = Result(
        name="",
        says=_says(received),
        case=case,
        accession=received.case.accession,
        url=reverse("case", args=[case]),
    )
    return [
        _bad(file.name, refused[place]) if place in refused else replace(good, name=file.name)
        for place, file in enumerate(incoming)
    ]


def _answered(request: HttpRequest, check: Check, results: list[Result]) -> HttpResponse:
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"results": [asdict(result) for result in results]})
    bad = any(result.error for result in results)
    if not bad and results[0].case:
        return redirect("case", results[0].case)
    return _shown(request, check, status=422 if bad else 200, said=Said(results=results))


def _name(file: UploadedFile[Any]) -> str:
    return (file.name or "")[:255]


def _says(received: intake.Received) -> str:
    case = received.case
    if received.created:
        return f"Put in as case {case.accession}."
    if received.added:
        return f"Added to case {case.accession}, which was there already."
    said = f"Already there, as case {case.accession}. Nothing was added."
    return f"{said} {case.verdict.says}." if case.verdict.doubt else said


def _row(request: HttpRequest, check: Check) -> HttpResponse:
    try:
        values = {
            each.code: _value(request, each.code, each.title)
            for each in manifest_of(check).measurements
        }
        received = intake.receive_measurements(
            values,
            check=check.name,
            door=DOOR,
            accession=request.POST.get("accession", ""),
            patient=request.POST.get("patient", ""),
            by=person_of(request),
        )
    except FirstreadError as error:
        wrong = error.field if isinstance(error, BadMeasurement) else ""
        return _shown(request, check, status=422, said=Said(problem=str(error), wrong=wrong))
    return redirect("case", received.case.pk)


def _value(request: HttpRequest, code: str, title: str) -> float | None:
    given = request.POST.get(f"m-{code}", "").strip()
    if not given or f"missing-{code}" in request.POST:
        return None
    try:
        number = number_of(given)
    except BadMeasurement as error:
        raise BadMeasurement(f"{title}: {error}", field=code) from None
    if not math.isfinite(number):
        raise BadMeasurement(f"{title} must be a number, not '{given[:40]}'.", field=code)
    return number


def _table(request: HttpRequest, check: Check) -> HttpResponse:
    file = request.FILES.get("table")
    if not isinstance(file, UploadedFile) or (file.size or 0) > TABLE_MOST_BYTES:
        bad = _bad("The table", "Choose a CSV file or a workbook (.xlsx) of at most 4 MB.")
        return _shown(request, check, status=422, said=Said(way="table", results=[bad]))
    try:
        came = receive_table(file.read(), check=check.name, door=DOOR, by=person_of(request))
    except FirstreadError as error:
        bad = _bad(_name(file) or "The table", str(error))
        return _shown(request, check, status=422, said=Said(way="table", results=[bad]))
    good = [
        Result(name=received.case.accession, says=_says(received), case=str(received.case.pk))
        for received in came.received
    ]
    results = [_bad(f"Line {row.line}", row.reason) for row in came.refused] + good
    told = [Result(name="The table", says=each) for each in came.told]
    return _shown(
        request, check, said=Said(way="table", results=results, told=told, taken=len(good))
    )


def _bad(name: str, says: str) -> Result:
    return Result(name=name, says=says, error=True)
