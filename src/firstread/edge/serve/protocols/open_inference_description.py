"""What the OpenAPI description says of the Open Inference Protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
}
_REFUSED = {
    400: "The request is not of the protocol's form; the sentence says what to change.",
    404: "No pack of that name, or none of that version.",
    413: "The body is larger than this reader takes, packed or unpacked.",
    415: "The body is compressed in a way this reader does not know.",
    422: "A sample cannot be read; the sentence says which, and why.",
    503: "The pack is damaged, or more requests wait than this reader takes.",
}
_TENSOR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "datatype": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "parameters": {"type": "object"},
    },
    "required": ["name", "datatype", "shape"],
}
_FLAG = {"type": "boolean"}
_TEXT = {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


_MODEL = _object(
    name=_TEXT,
    versions={"type": "array", "items": _TEXT},
    platform=_TEXT,
    inputs={"type": "array", "items": _TENSOR},
    outputs={"type": "array", "items": _TENSOR},
)
_INFERRED = {
    "type": "object",
    "properties": {
        "model_name": _TEXT,
        "model_version": _TEXT,
        "id": _TEXT,
        "outputs": {"type": "array", "items": _TENSOR},
    },
    "required": ["model_name", "model_version", "outputs"],
}
_CALL = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "parameters": {
            "type": "object",
            "properties": {"binary_data_output": _FLAG},
        },
        "inputs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": _TENSOR["properties"] | {"data": {"type": "array", "items": {}}},
                "required": ["name", "datatype", "shape"],
            },
        },
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": _TEXT, "parameters": {"type": "object"}},
                "required": ["name"],
            },
        },
    },
    "required": ["inputs"],
}
_NAMED = {
    "name": "The pack's name.",
    "version": "The pack's version; another than the one that is here is refused.",
}


@dataclass(frozen=True, kw_only=True)
class Described:
    """One call of the protocol, at one address or two."""

    handler: str
    method: str
    paths: tuple[str, ...]
    summary: str
    answers: dict[str, Any]
    """The content of the answer 200, by media type."""
    refusals: tuple[int, ...] = ()
    reads: bool = False
    open: bool = False
    body: dict[str, Any] = field(default_factory=dict)

    def describe(self, path: str) -> dict[str, Any]:
        """The OpenAPI operation at `path`."""
        operation: dict[str, Any] = {
            "responses": {"200": {"description": "Done.", "content": self.answers}}
            | {
                str(status): {"description": _REFUSED[status], "content": _json(_ERROR)}
                for status in self.refusals
            },
        }
        places = [
            {"name": name, "in": "path", "required": True, "schema": _TEXT, "description": what}
            for name, what in _NAMED.items()
            if f"{{{name}}}" in path
        ]
        if self.body:
            operation["requestBody"] = self.body
        if self.handler == "infer":
            places.append(
                {
                    "name": "Inference-Header-Content-Length",
                    "in": "header",
                    "description": "How many bytes of the body are JSON; binary data follow.",
                    "schema": {"type": "integer", "minimum": 0},
                }
            )
        if places:
            operation["parameters"] = places
        return operation


def _of_model(rest: str) -> tuple[str, ...]:
    return f"/v2/models/{{name}}{rest}", f"/v2/models/{{name}}/versions/{{version}}{rest}"


DESCRIBED = (
    Described(
        handler="server",
        method="GET",
        paths=("/v2",),
        summary="What this server is, and which extensions of the protocol it speaks",
        answers=_json(
            _object(name=_TEXT, version=_TEXT, extensions={"type": "array", "items": _TEXT})
        ),
    ),
    Described(
        handler="live",
        method="GET",
        paths=("/v2/health/live",),
        summary="Whether the server runs",
        answers=_json(_object(live=_FLAG)),
        open=True,
    ),
    Described(
        handler="ready",
        method="GET",
        paths=("/v2/health/ready",),
        summary="Whether the server takes requests",
        answers=_json(_object(ready=_FLAG)),
        refusals=(503,),
        open=True,
    ),
    Described(
        handler="index",
        method="POST",
        paths=("/v2/repository/index",),
        summary="The packs that there are (Triton's model repository)",
        answers=_json(
            {
                "type": "array",
                "items": _object(name=_TEXT, version=_TEXT, state=_TEXT, reason=_TEXT),
            }
        ),
    ),
    Described(
        handler="model_ready",
        method="GET",
        paths=_of_model("/ready"),
        summary="Whether a pack can be read with; opens it",
        answers=_json(_object(name=_TEXT, ready=_FLAG)),
        refusals=(404, 503),
        reads=True,
    ),
    Described(
        handler="model",
        method="GET",
        paths=_of_model(""),
        summary="A pack's inputs, of which a request gives one, and its outputs",
        answers=_json(_MODEL),
        refusals=(404, 503),
        reads=True,
    ),
    Described(
        handler="config",
        method="GET",
        paths=_of_model("/config"),
        summary="The same as Triton's model configuration",
        answers=_json({"type": "object"}),
        refusals=(404, 503),
        reads=True,
    ),
    Described(
        handler="infer",
        method="POST",
        paths=_of_model("/infer"),
        summary="Read samples, or run the bare network on tensors",
        answers=_json(_INFERRED)
        | {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        refusals=(400, 404, 413, 415, 422, 503),
        reads=True,
        body={
            "required": True,
            "content": _json(_CALL)
            | {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
    ),
)
"""In the order of the protocol."""
