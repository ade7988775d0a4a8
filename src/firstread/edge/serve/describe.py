"""What an address takes and answers, said in types: the OpenAPI description is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Form = Any
"""A type, from which the schema is made; or a schema, or lists and mappings of both."""
TEXT: Form = {"type": "string"}
BINARY: Form = {"type": "string", "format": "binary"}


def content(form: Form, *, media_type: str = "application/json") -> dict[str, Any]:
    """What a body is."""
    return {media_type: {"schema": form}}


def answered(
    content: Mapping[str, Any],
    *,
    says: str = "Done.",
    refused: Mapping[int, str] | None = None,
    form: Form | None = None,
) -> dict[str, Any]:
    """The responses of an address: `content` where it did what was asked, and each status with why
    it refuses; in `form` where the protocol has one of its own for that."""
    told = {"content": {"application/json": {"schema": form}}} if form is not None else {}
    refusals = {str(status): {"description": why} | told for status, why in (refused or {}).items()}
    done = {"description": says} | ({"content": content} if content else {})
    return {"responses": {"200": done} | refusals}


def given(name: str, place: str, says: str, *, schema: Form = TEXT) -> dict[str, Any]:
    """A parameter in the path, the query or a header."""
    required = {"required": True} if place == "path" else {}
    return {"name": name, "in": place, "description": says, "schema": schema} | required
