"""What a server's answer means: its JSON, or the error that the server's sentence stands for."""

from __future__ import annotations

from typing import Any

import httpx

from firstread.domain import errors
from firstread.domain.errors import BadMeasurement, FirstreadError, NotAllowed, Unreachable

BUSY = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may well succeed."""


def json_of(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; raises the FirstreadError that a refusal names."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Unreachable(
            f"The server answered with status {response.status_code} and no JSON. "
            "Check that the address is that of a Firstread server.",
            status=response.status_code,
        )
    if response.is_success:
        return body
    raise _refusal(response.status_code, body)


def _refusal(status: int, problem: dict[str, Any]) -> FirstreadError:
    said = str(problem.get("detail") or f"The server refused with status {status}.")
    name = str(problem.get("type", "")).removeprefix("firstread:")
    kind = getattr(errors, name, None) if name.isidentifier() else None
    if kind is BadMeasurement:
        return BadMeasurement(said, field=str(problem.get("field", "")))
    if (
        isinstance(kind, type)
        and issubclass(kind, FirstreadError)
        and kind.__init__ is Exception.__init__
    ):
        return kind(said)
    if status in (401, 403):
        return NotAllowed(said)
    if status >= 500 or status in BUSY:
        return Unreachable(said, status=status)
    return FirstreadError(said)
