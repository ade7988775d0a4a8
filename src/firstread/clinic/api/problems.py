"""Every refusal of the API as RFC 9457 asks: `application/problem+json` with one clear sentence."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError

from firstread.domain.errors import (
    BadMeasurement,
    ConflictingRequest,
    FirstreadError,
    NotAllowed,
    ShortOfMemory,
    TooManyRows,
    TroubleElsewhere,
    UnknownCase,
    UnknownCheck,
    UnreadableSample,
    WrongState,
)

MEDIA_TYPE = "application/problem+json"
PREFIX = "/api/"

STATUS: dict[type[FirstreadError], int] = {
    TooManyRows: 413,
    UnreadableSample: 422,
    BadMeasurement: 422,
    UnknownCheck: 422,
    UnknownCase: 404,
    WrongState: 409,
    ConflictingRequest: 409,
    NotAllowed: 403,
    TroubleElsewhere: 503,
}
SENTENCES = {
    400: "The request could not be understood. Look at docs/api.md for its form.",
    401: "This needs a token: send the header 'Authorization: Bearer TOKEN'. Make one that lives: "
    "firstread token PERSON.",
    403: "This is not allowed.",
    404: "There is nothing under this address.",
    405: "This address does not take that method.",
    413: "The request is too large. Send fewer or smaller samples at a time.",
    415: "This media type is not taken here. Look at docs/api.md for those that are.",
    429: "Too many requests. Wait a second and send it again.",
    500: "Something went wrong here, and it was written to the log. Send the request again.",
    503: "The server is busy. Send the request again in a moment.",
}

CANNOT_KEEP = (
    "The server cannot reach its disk or database, or has no space left. Tell the "
    "operator, and send the request again later: nothing counts twice."
)

log = logging.getLogger(__name__)


class Refused(HttpError):
    """A request whose form is wrong, with its status and sentence."""


def problem(
    status: int,
    detail: str = "",
    *,
    request: HttpRequest,
    kind: str = "about:blank",
    extra: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The answer that tells a program, and whoever reads its log, what to do."""
    body = {
        "type": kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or SENTENCES.get(status, HTTPStatus(status).phrase + "."),
        "instance": request.path,
        **(extra or {}),
    }
    response = HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="firstread"'
    return response


def answer_problems(api: NinjaAPI) -> None:
    """Make the API answer each kind of error with a problem."""

    @api.exception_handler(FirstreadError)
    def refused(request: HttpRequest, error: FirstreadError) -> HttpResponse:
        status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
        name = type(error).__name__
        extra = {"field": error.field} if isinstance(error, BadMeasurement) else None
        response = problem(
            status, str(error), request=request, kind=f"firstread:{name}", extra=extra
        )
        if status == 503:
            again_in_s = error.again_in_s if isinstance(error, ShortOfMemory) else 5
            response["Retry-After"] = str(math.ceil(again_in_s))
        return response

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        said = error.message if isinstance(error, Refused) else ""
        response = problem(error.status_code, said, request=request)
        if isinstance(error, Throttled):
            response["Retry-After"] = str(max(1, error.wait or 1))
        return response

    @api.exception_handler(OSError)
    @api.exception_handler(OperationalError)
    def cannot_keep(request: HttpRequest, error: Exception) -> HttpResponse:
        log.error("the disk or the database refused: %s", type(error).__name__, exc_info=error)
        response = problem(503, CANNOT_KEEP, request=request)
        response["Retry-After"] = "5"
        return response

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, _error: Http404) -> HttpResponse:
        return problem(404, request=request)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        errors = [
            {"where": [str(part) for part in each["loc"]], "what": each["msg"]}
            for each in error.errors
        ]
        detail = _invalid(error.errors[0] if error.errors else {})
        return problem(422, detail, request=request, extra={"errors": errors})


def _invalid(error: Mapping[str, Any]) -> str:
    """The sentence about the first field that is not as it should be."""
    name = str((error.get("loc") or ["request"])[-1])
    if name in ("accession", "patient") and error.get("type") in ("too_long", "string_too_long"):
        return f"The {name} must be one line of at most 64 characters. Shorten it."
    return f"'{name}' is not as it should be: {error.get('msg', 'is not valid')}."


class ProblemMiddleware:
    """Turns what Django refuses before or beside the API's own code into a problem as well."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path.startswith(PREFIX) or response.status_code < 400:
            return response
        if response.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        said = problem(response.status_code, request=request)
        for name in ("Allow", "Retry-After"):
            if name in response:
                said[name] = response[name]
        return said
