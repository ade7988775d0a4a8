"""The case page: what was read, by what, and what a person decides."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from firstread.clinic.models import Person
from firstread.clinic.queue.find_case import found_case
from firstread.clinic.shown import changes, worklist
from firstread.clinic.shown.case import CaseView, Cell, look
from firstread.clinic.steps import amend as amendment
from firstread.clinic.steps import review
from firstread.clinic.steps.who_may import answers_for
from firstread.clinic.web.access import page, person_of
from firstread.clinic.web.charts import (
    contributions_of,
    finding_bars,
    gallery_of,
    left_out,
    shares_of,
)
from firstread.clinic.web.recordings import about_recording
from firstread.clinic.web.samples import beat_of
from firstread.domain.errors import BadMeasurement, NotAllowed, WrongState
from firstread.domain.foremost import MANY, foremost
from firstread.domain.read import Read


@page()
@require_GET
def case_page(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    person = person_of(request)
    # Before the look: what changes in between is then asked for again, not missed for ever.
    known = changes.changed(case_id)
    view = look(case_id, by=person)
    cell = _cell(view, request.GET.get("cell", ""))
    context = {"view": view, "case": view.case, "stamp": known}
    context |= _about_cell(view, cell, beat=beat_of(request)) | _about_decision(view, person)
    return render(request, "clinic/case.html", context)


@page()
@require_GET
def stamp(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """A number that grows with the case, by which an open page knows that it is out of date."""
    found_case(case_id)
    return HttpResponse(str(changes.changed(case_id)), content_type="text/plain")


@page()
@require_POST
def answer(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    label = request.POST.get("agree") or request.POST.get("label", "")
    comment = request.POST.get("comment", "")
    try:
        case = review.answer(case_id, by=person_of(request), label=label, comment=comment)
    except (WrongState, BadMeasurement, NotAllowed) as error:
        messages.error(request, str(error), extra_tags="alarm")
        return redirect("case", case_id)
    if case.decided:
        said = "Your answer is recorded, and the case is signed off."
    elif case.waits_for == "chief":
        said = "Your answer is recorded. The two answers differ, so the chief has been asked."
    else:
        said = "Your answer is recorded. The case waits for a second specialist."
    messages.success(request, said, extra_tags="good")
    return redirect("case", case_id)


@page()
@require_POST
def amend(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    label, comment = request.POST.get("label", ""), request.POST.get("comment", "")
    try:
        amendment.amend(case_id, by=person_of(request), label=label, comment=comment)
    except (WrongState, BadMeasurement, NotAllowed) as error:
        messages.error(request, str(error), extra_tags="alarm")
    else:
        messages.success(request, "The amendment is recorded.", extra_tags="good")
    return redirect("case", case_id)


def _cell(view: CaseView, asked: str) -> Cell | None:
    """The cell that the address names; else the one that shows the case's finding best."""
    for cell in view.cells:
        if str(cell.position) == asked:
            return cell
    alarming = [cell for cell in view.cells if cell.read and cell.read.alarms]
    return max(
        alarming or view.cells[:1],
        key=lambda cell: _probability(cell.read, view.case.finding),
        default=None,
    )


def _probability(read: Read | None, label: str) -> float:
    return read.probability_of(label) if read else 0.0


def _about_cell(view: CaseView, cell: Cell | None, *, beat: int | None) -> dict[str, Any]:
    read = cell.read if cell else None
    manifest = view.manifest
    told: dict[str, Any] = {"cell": cell, "read": read, "titles": view.titles, "evidence": ()}
    if cell is not None and cell.case_sample.sample.kind == "recording":
        told |= about_recording(view, cell, beat=beat)
    if cell is not None and len(view.cells) > 1:
        told["gallery"] = gallery_of(view.cells, titles=view.titles, here=cell.position)
        told["alarms"] = sum(1 for each in view.cells if each.read and each.read.alarms)
    if view.differential and manifest:
        told["shares"] = shares_of(view.differential, manifest)
        told["counted"] = view.differential[0].of if view.differential else 0
    if read is None or cell is None or manifest is None:
        return told
    bars = finding_bars(read, manifest)
    told |= {
        "alarming": any(bar.alarming and (bar.lead or bar.holds_lead) for bar in bars),
        "bars": bars,
        "left_out": left_out(read),
        "group_alarms": [bar for bar in bars if bar.alarming and bar.holds_lead],
        "other_alarms": [e for e in bars if e.alarming and not (e.lead or e.holds_lead)],
        "has_points": bool(manifest.operating_points),
        "point": next((p for p in manifest.operating_points if p.label == read.label), None),
        "evidence": _evidence(cell, view),
    }
    if read.contributions:
        told |= contributions_of(read, manifest)
    return told


def _evidence(cell: Cell, view: CaseView) -> list[dict[str, str]]:
    """The maps there are, that of the read's own label first."""
    codes = list(cell.evidence_labels)
    own = cell.read.label if cell.read else ""
    shown = _foremost_codes(cell.read)
    return [
        {
            "title": view.titles.get(code, code),
            "href": reverse("evidence", args=[cell.case_sample.pk, codes.index(code)]),
        }
        for code in sorted(codes, key=lambda code: code != own)
        if shown is None or code in shown
    ]


def _foremost_codes(read: Read | None) -> frozenset[str] | None:
    """The labels that are shown of many; None where all are."""
    if read is None or len(read.findings) <= MANY:
        return None
    return frozenset(each.label for each in foremost(read.findings, always=read.alarms))


def _likely(view: CaseView) -> list[tuple[str, str]]:
    """Of many answers those that the pack found most probable; empty where all fit on the page."""
    cell = view.cells[0] if view.cells else None
    shown = _foremost_codes(cell.read if cell else None)
    if shown is None or cell is None or cell.read is None:
        return []
    codes = [each.label for each in cell.read.findings if each.label in shown]
    return [(code, view.titles.get(code, code)) for code in codes]


def _about_decision(view: CaseView, person: Person) -> dict[str, Any]:
    last = view.sign_offs[-1] if view.sign_offs else None
    waiting = worklist.waiting(person) if person.decides else None
    return {
        "answers": answers_for(view.case),
        "likely": _likely(view),
        "hidden_answers": view.reviews_hidden,
        "latest": [last] if last else [],
        "earlier": list(reversed(view.sign_offs[:-1])),
        "discordant": bool(last and view.case.finding and last.label != view.case.finding),
        "next_case": waiting.exclude(pk=view.case.pk).first() if waiting is not None else None,
    }
