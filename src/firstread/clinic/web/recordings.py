"""A recording for the case page: its signal in tiles, its beats, and what speaks for each."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from firstread.clinic.models import ReadRow
from firstread.clinic.shown.case import CaseView, Cell
from firstread.clinic.shown.recording import beat_labels, in_minutes, recording_view
from firstread.clinic.storage.evidence_bytes import unpack_stretches
from firstread.clinic.storage.reads import beats_of
from firstread.clinic.storage.traces import STEPS, TILE, Trace, trace_of
from firstread.clinic.web.access import page
from firstread.clinic.web.samples import KEPT_S, sample_of
from firstread.domain.errors import FirstreadError, UnknownCase

NUMBERS = "application/octet-stream"


def about_recording(view: CaseView, cell: Cell, *, beat: int | None) -> dict[str, Any]:
    """What the templates show of one recording; without its picture where it cannot be opened."""
    try:
        trace = trace_of(cell.case_sample.sample_id)
    except FirstreadError as error:
        return {"trace_trouble": str(error)}
    manifest = view.manifest
    about: dict[str, Any] = {"trace": trace, "lasts": in_minutes(trace.duration_s), "asked": beat}
    rows = ReadRow.objects.filter(case_sample=cell.case_sample)
    if cell.read is not None and manifest is not None and manifest.recording is not None:
        row = rows.defer("evidence").get()
        about["rhythm"] = recording_view(
            row, labels=manifest.labels, alarms=cell.read.alarms, lasts_s=trace.duration_s
        )
    about["meta"] = _meta(trace, view, cell)
    return about


def _meta(trace: Trace, view: CaseView, cell: Cell) -> dict[str, Any]:
    """What the page's script must know: `Meta` in static/clinic/js/tiles.js."""
    pk, manifest = cell.case_sample.pk, view.manifest
    given = manifest.recording if manifest else None
    return {
        "tiles": reverse("tile", args=[pk, 0, 0]),
        "beats": reverse("beats", args=[pk]) if cell.read else "",
        "stretches": reverse("stretches", args=[pk]) if cell.evidence_labels else "",
        "rate_hz": trace.rate_hz,
        "samples": trace.samples,
        "leads": trace.leads,
        "unit_mv": trace.unit_mv,
        "row_mm": trace.row.height_mm,
        "mm_per_mv": trace.row.mm_per_mv,
        "middles_mv": trace.row.middles_mv,
        "steps": STEPS,
        "tile": TILE,
        "began": trace.began,
        "before_s": given.before_s if given else 0,
        "after_s": given.after_s if given else 0,
        "labels": [asdict(each) for each in beat_labels(view.labels)],
    }


@page()
@require_GET
def tile(request: HttpRequest, case_sample: int, level: int, number: int) -> HttpResponse:
    """A piece of the signal as little-endian int16, lead after lead: `Trace.tile`."""
    trace = trace_of(sample_of(case_sample, kind="recording").sha256)
    return _numbers(trace.tile(level, number))


@page()
@require_GET
def beats(request: HttpRequest, case_sample: int) -> HttpResponse:
    """Every beat of the first read: `Beats.as_pieces`."""
    return _numbers(beats_of(_first_read(case_sample, defer="evidence")).as_pieces())


@page()
@require_GET
def stretches(request: HttpRequest, case_sample: int) -> HttpResponse:
    """How much each part of each beat's window speaks for its label: bytes [B, t]."""
    row = _first_read(case_sample, defer="beats")
    if row.evidence is None:
        raise UnknownCase("The pack that read this recording gives no evidence along the trace.")
    return _numbers(unpack_stretches(bytes(row.evidence)).tobytes())


def _first_read(case_sample: int, *, defer: str) -> ReadRow:
    sample_of(case_sample, kind="recording")
    row = ReadRow.objects.filter(case_sample=case_sample).defer(defer).first()
    if row is None:
        raise UnknownCase("This recording has not been read yet.")
    return row


def _numbers(data: bytes) -> HttpResponse:
    response = HttpResponse(data, content_type=NUMBERS)
    response["Cache-Control"] = f"private, max-age={KEPT_S}"
    return response
