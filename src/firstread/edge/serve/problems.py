"""Refusals of the HTTP reader in the form of RFC 9457: a status, and a sentence with the remedy."""

from __future__ import annotations

import http
import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, to_builtins

from firstread.domain.errors import (
    BadMeasurement,
    BadRequest,
    FirstreadError,
    PackRefused,
    ShortOfMemory,
    TooManyRows,
    UnknownPack,
    UnreadableSample,
)
from firstread.edge.serve.wire import Answer

MEDIA_TYPE = "application/problem+json"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_STATUS: dict[type[FirstreadError], int] = {
    TooManyRows: 413,
    UnreadableSample: 422,
    BadMeasurement: 422,
    UnknownPack: 404,
    PackRefused: 503,
    ShortOfMemory: 503,
}


class Problem(Struct, kw_only=True):
    """What happened and what to do about it, in the form of RFC 9457."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: Annotated[str, Meta(description="One sentence with the remedy.")]
    field: Annotated[str | UnsetType, Meta(description="The measurement that is wrong.")] = UNSET


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] = _NO_HEADERS, field: str = ""
) -> Answer:
    """The answer that says what was wrong; `field` names the measurement where one was."""
    said = Problem(
        type="about:blank",
        title=http.HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        field=field or UNSET,
    )
    return Answer(
        status=status,
        body=json.dumps(to_builtins(said), ensure_ascii=False).encode(errors="replace"),
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def problem_of(error: FirstreadError) -> Answer:
    """The answer that stands for the error; 500 for one that no request can cause."""
    if isinstance(error, BadRequest):
        return problem(error.status, str(error))
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    field = error.field if isinstance(error, BadMeasurement) else ""
    return problem(status, str(error), field=field, headers=headers_of(error))


def headers_of(error: FirstreadError) -> Mapping[str, str]:
    """When to come again, where that is known."""
    if isinstance(error, ShortOfMemory):
        return {"Retry-After": str(math.ceil(error.again_in_s))}
    return _NO_HEADERS
