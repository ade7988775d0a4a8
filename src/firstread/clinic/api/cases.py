"""Cases: put in, listed, looked at, answered, amended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from firstread.clinic.api import shown
from firstread.clinic.api.access import Scope
from firstread.clinic.api.edge import EdgeIn, from_edge
from firstread.clinic.api.key import digest, key_of
from firstread.clinic.api.paging import place_of
from firstread.clinic.api.parse import (
    Images,
    NewMeasurements,
    body_of,
    body_schema,
    new_case,
    plain_schema,
)
from firstread.clinic.api.schemas import (
    Amendment,
    Answer,
    BeatsOut,
    CaseOut,
    CasesOut,
    NewCase,
    Problem,
    ReceivedOut,
    Search,
    Slug,
)
from firstread.clinic.doors.table import receive_one_row, takes_tables
from firstread.clinic.models import Case, Person
from firstread.clinic.queue.once import once, once_with_work
from firstread.clinic.shown.beats import beats_at
from firstread.clinic.shown.case import look
from firstread.clinic.shown.case_list import newest_cases
from firstread.clinic.steps import amend, intake, review, take_back
from firstread.clinic.steps.intake import Received
from firstread.domain.case import CaseState

DOOR = "api"
EDGE_DOOR = "edge"
REFUSALS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 405, 409, 413, 415, 422, 429}): Problem}

router = Router(tags=["cases"])

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key counts once, and gets the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


def _new_case_body() -> dict[str, Any]:
    form = NewCase.model_json_schema()
    form["properties"]["sample"] = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "format": "binary"},
        "description": "One or more images: PNG, JPEG, TIFF, BMP, WebP or GIF. Or a recording: a "
        "WFDB pair as two files or one zip, CSV, EDF or a DICOM waveform. Or a table (CSV or "
        ".xlsx) with one row of measurements.",
    }
    form["properties"]["edge"] = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": plain_schema(EdgeIn),
        "description": "What an edge says of these samples.",
    }
    form["required"] = ["check", "sample"]
    return {
        "parameters": [KEY],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {"schema": plain_schema(NewMeasurements)},
            },
        },
    }


def person_of(request: HttpRequest) -> Person:
    person: Person = request.auth  # type: ignore[attr-defined]  # ninja sets it
    return person


@router.post(
    "/cases",
    auth=Scope("cases:write"),
    response={200: ReceivedOut, 201: ReceivedOut, **REFUSALS},
    openapi_extra=_new_case_body(),
    summary="Put samples, or a row of measurements, in",
)
def create_case(request: HttpRequest, response: HttpResponse) -> Status[Any]:
    """201 where a case came of it, 200 where the samples joined one or were there already."""
    person = person_of(request)
    key = key_of(request)
    brought = new_case(request)

    plain = brought.plain() if isinstance(brought, Images) else brought.model_dump()
    with once(key, person=person, digest=digest(request, plain)) as asked:
        if asked.answer is None:
            received = _receive(brought, by=person)
            asked.answer = 201 if received.created else 200, shown.received(received)
    status, body = asked.answer
    response["Location"] = f"/api/v1/cases/{body['case']['id']}"
    return Status(status, body)


def _receive(brought: Images | NewMeasurements, *, by: Person) -> Received:
    edge = None if brought.edge is None else from_edge(brought.edge)
    door = DOOR if edge is None else EDGE_DOOR
    if isinstance(brought, Images):
        if edge is None and takes_tables(brought.fields.check):
            fields = brought.fields.model_dump()
            return receive_one_row(brought.samples, door=door, by=by, **fields)
        return intake.receive(
            brought.samples,
            check=brought.fields.check,
            accession=brought.fields.accession,
            patient=brought.fields.patient,
            door=door,
            by=by,
            received_at=edge.received_at if edge else None,
            edge=edge,
        )
    return intake.receive_measurements(
        brought.measurements,
        check=brought.check,
        accession=brought.accession,
        patient=brought.patient,
        door=door,
        by=by,
        received_at=edge.received_at if edge else None,
        edge=edge,
    )


@router.get(
    "/cases",
    auth=Scope("cases:read"),
    response={200: CasesOut, **REFUSALS},
    summary="List cases, newest first",
)
def list_cases(
    request: HttpRequest,
    state: Query[CaseState | None] = None,
    check: Query[Slug | None] = None,
    limit: Annotated[int, Query(), Field(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(), Field(max_length=200)] = None,
) -> dict[str, Any]:
    """Pages hang together while cases come in: none is shown twice, none is left out."""
    found = newest_cases(
        by=person_of(request), limit=limit, after=place_of(cursor), state=state, check=check
    )
    return shown.page(found)


@router.post(
    "/cases/search",
    auth=Scope("cases:read"),
    response={200: CasesOut, **REFUSALS},
    openapi_extra={"requestBody": body_schema(Search)},
    summary="Find the cases of an accession",
)
def search_cases(request: HttpRequest) -> dict[str, Any]:
    """A POST, for addresses are written to logs and an accession must not stand there.

    Pages as the list does: `cursor` is the `next` of the page before.
    """
    body = body_of(request, Search)
    found = newest_cases(
        by=person_of(request),
        limit=body.limit,
        after=place_of(body.cursor),
        check=body.check or None,
        accession=body.accession,
    )
    return shown.page(found)


@router.get(
    "/cases/{uuid:case_id}",
    auth=Scope("cases:read"),
    response={200: CaseOut, **REFUSALS},
    summary="Look at a case",
)
def look_at_case(request: HttpRequest, case_id: UUID) -> dict[str, Any]:
    """Its reads, differential, reviews as far as you may see them, and its history."""
    return shown.whole(look(case_id, by=person_of(request)))


@router.get(
    "/cases/{uuid:case_id}/samples/{int:position}/beats",
    auth=Scope("cases:read"),
    response={200: BeatsOut, **REFUSALS},
    summary="List the beats of a recording",
)
def list_beats(request: HttpRequest, case_id: UUID, position: int) -> dict[str, Any]:
    """When each beat is, counted from the beginning, what it is, and with what probability."""
    return shown.beats(beats_at(look(case_id, by=person_of(request)), position=position))


@router.post(
    "/cases/{uuid:case_id}/reviews",
    auth=Scope("reviews:write"),
    response={200: CaseOut, **REFUSALS},
    openapi_extra={"parameters": [KEY], "requestBody": body_schema(Answer)},
    summary="Answer a case",
)
def answer_case(request: HttpRequest, case_id: UUID) -> dict[str, Any]:
    """Records your label; the rule of the check says whether that decides the case."""
    return _decided(request, case_id, body=body_of(request, Answer), step=review.answer)


@router.api_operation(
    ["DELETE"],
    "/cases/{uuid:case_id}/reviews",
    auth=Scope("reviews:write"),
    response={200: CaseOut, **REFUSALS},
    summary="Take your answer back",
)
def take_answer_back(request: HttpRequest, case_id: UUID) -> dict[str, Any]:
    """For ten seconds, and only until somebody else saw it; `take_back_until` says so."""
    person = person_of(request)
    take_back.take_back(case_id, by=person)
    return shown.whole(look(case_id, by=person))


@router.post(
    "/cases/{uuid:case_id}/amendments",
    auth=Scope("reviews:write"),
    response={200: CaseOut, **REFUSALS},
    openapi_extra={"parameters": [KEY], "requestBody": body_schema(Amendment)},
    summary="Amend a signed-off case",
)
def amend_case(request: HttpRequest, case_id: UUID) -> dict[str, Any]:
    """Corrects the decision, with the reason; the earlier one stays readable."""
    return _decided(request, case_id, body=body_of(request, Amendment), step=amend.amend)


def _decided(
    request: HttpRequest, case_id: UUID, *, body: Answer | Amendment, step: Callable[..., Case]
) -> dict[str, Any]:
    """The case after the step, which counts once for a key."""
    person = person_of(request)

    key, plain = key_of(request), body.model_dump(mode="json")
    with once_with_work(key, person=person, digest=digest(request, plain)) as asked:
        if asked.answer is None:
            step(case_id, by=person, **body.model_dump(exclude_none=True))
            asked.answer = 200, shown.whole(look(case_id, by=person))
    return asked.answer[1]
