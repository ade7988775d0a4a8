"""Putting samples in: pictures, recordings, one row of measurements, or a table of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from firstread.clinic.checks.checks import enabled_checks, manifest_of
from firstread.clinic.doors.table import receive_table
from firstread.clinic.models import Check, RefusedSample
from firstread.clinic.steps import intake
from firstread.clinic.steps.files import Incoming
from firstread.clinic.web.access import page, person_of
from firstread.domain.errors import BadMeasurement, FirstreadError

DOOR = "page"
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


@page()
@require_http_methods(["GET", "POST"])
def put_in(request: HttpRequest) -> HttpResponse:
    checks = enabled_checks()
    asked = request.POST.get("check") or request.GET.get("check", "")
    chosen = next((check for check in checks if check.name == asked), checks[0] if checks else None)
    if request.method != "POST" or chosen is None:
        return _shown(request, chosen)
    if chosen.kind != "measurements":
        return _files(request, chosen)
    if request.POST.get("way") == "table":
        return _table(request, chosen)
    return _row(request, chosen)


def _shown(
    request: HttpRequest, chosen: Check | None, *, status: int = 200, **more: Any
) -> HttpResponse:
    trouble, measures = "", []
    if chosen is not None:
        try:
            manifest = manifest_of(chosen)
            measures = [_measure(each, request) for each in manifest.measurements]
        except FirstreadError as error:
            trouble = str(error)
    context = {
        "checks": enabled_checks(),
        "chosen": chosen,
        "trouble": trouble,
        "measures": measures,
        "given": request.POST,
        "upload_mb": settings.FIRSTREAD.server.upload_mb,
        "upload_bytes": settings.FIRSTREAD.server.upload_mb * 2**20,
        "refused": RefusedSample.objects.select_related("by")[:12],
    }
    return render(request, "clinic/put_in.html", context | more, status=status)


def _measure(each: Any, request: HttpRequest) -> dict[str, Any]:
    given = request.POST.get(f"m-{each.code}", "")
    try:
        shown: float = float(given)
    except ValueError:
        shown = each.minimum
    missing = f"missing-{each.code}" in request.POST
    return {
        "code": each.code,
        "title": each.title,
        "help": each.help,
        "minimum": each.minimum,
        "maximum": each.maximum,
        "may_be_missing": each.may_be_missing,
        "given": given,
        "shown": shown,
        "missing": missing,
    }


def _files(request: HttpRequest, check: Check) -> HttpResponse:
    results = _receive_files(request, request.FILES.getlist("sample"), check)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"results": [asdict(result) for result in results]})
    bad = any(result.error for result in results)
    if not bad and results and results[0].case:
        return redirect("case", results[0].case)
    return _shown(request, check, status=422 if bad else 200, results=results)


def _receive_files(
    request: HttpRequest, files: Sequence[UploadedFile[Any]], check: Check
) -> list[Result]:
    """One result for each file, in their order; one too large keeps none of the others out."""
    most_mb = settings.FIRSTREAD.server.upload_mb
    large = [file for file in files if (file.size or 0) > most_mb * 2**20]
    fitting = [file for file in files if file not in large]
    taken = iter(_receive_fitting(request, fitting, check) if fitting or not files else ())
    if not files:
        return list(taken)
    said = f"This file is larger than {most_mb} MB. Send a smaller one."
    return [_bad(_name(file), said) if file in large else next(taken) for file in files]


def _receive_fitting(
    request: HttpRequest, files: Sequence[UploadedFile[Any]], check: Check
) -> list[Result]:
    names = [_name(file) for file in files]
    incoming = [
        Incoming(data=file.read(), name=name) for file, name in zip(files, names, strict=True)
    ]
    try:
        received = intake.receive(
            incoming,
            check=check.name,
            door=DOOR,
            accession=request.POST.get("accession", "").strip(),
            patient=request.POST.get("patient", "").strip(),
            by=person_of(request),
        )
    except FirstreadError as error:
        return [_bad(name, str(error)) for name in names or [""]]
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
        _bad(name, refused[place]) if place in refused else replace(good, name=name)
        for place, name in enumerate(names)
    ]


def _name(file: UploadedFile[Any]) -> str:
    return (file.name or "")[:255]


def _says(received: intake.Received) -> str:
    case = received.case
    if received.created:
        return f"Put in as case {case.accession}."
    if received.added:
        return f"Added to case {case.accession}, which was there already."
    return f"Already there, as case {case.accession}. Nothing was added."


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
            accession=request.POST.get("accession", "").strip(),
            patient=request.POST.get("patient", "").strip(),
            by=person_of(request),
        )
    except BadMeasurement as error:
        return _shown(request, check, status=422, problem=str(error), wrong=error.field)
    except FirstreadError as error:
        return _shown(request, check, status=422, problem=str(error))
    return redirect("case", received.case.pk)


def _value(request: HttpRequest, code: str, title: str) -> float | None:
    given = request.POST.get(f"m-{code}", "").strip().replace(",", ".")
    if not given or f"missing-{code}" in request.POST:
        return None
    try:
        return float(given)
    except ValueError:
        raise BadMeasurement(f"{title} must be a number, not '{given[:40]}'.", field=code) from None


def _table(request: HttpRequest, check: Check) -> HttpResponse:
    file = request.FILES.get("table")
    if not isinstance(file, UploadedFile) or (file.size or 0) > TABLE_MOST_BYTES:
        said = "Choose a CSV file of at most 4 MB."
        return _shown(request, check, status=422, way="table", results=[_bad("The table", said)])
    try:
        came = receive_table(file.read(), check=check.name, door=DOOR, by=person_of(request))
    except FirstreadError as error:
        bad = _bad((file.name or "The table")[:255], str(error))
        return _shown(request, check, status=422, way="table", results=[bad])
    good = [
        Result(name=received.case.accession, says=_says(received), case=str(received.case.pk))
        for received in came.received
    ]
    results = [_bad(f"Line {row.line}", row.reason) for row in came.refused] + good
    return _shown(request, check, way="table", results=results, taken=len(good))


def _bad(name: str, says: str) -> Result:
    return Result(name=name, says=says, error=True)
