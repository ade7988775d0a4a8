"""What the OpenAPI description says of the addresses that clouds call."""

from __future__ import annotations

from typing import Any

from firstread.edge.serve.protocols.native_description import READ as _NATIVE

_HEADER = {"in": "header", "schema": {"type": "string"}}
_ENCODED = {
    "type": "object",
    "properties": {"b64": {"type": "string", "contentEncoding": "base64"}},
    "required": ["b64"],
}
_SAMPLE = {"anyOf": [_ENCODED, {"type": "object"}, {"type": "string"}, {"type": "array"}]}
_SAMPLES = {"type": "array", "minItems": 1, "items": _SAMPLE}
_ENVELOPE = {
    "type": "object",
    "properties": {
        "instances": _SAMPLES,
        "input_data": _SAMPLES,
        "data": _SAMPLES,
        "parameters": {
            "type": "object",
            "properties": {"pack": {"type": "string"}},
            "additionalProperties": False,
        },
    },
}
_PREDICTIONS = {
    "type": "object",
    "properties": {"predictions": {"type": "array", "items": {"type": "object"}}},
    "required": ["predictions"],
}

ASK: dict[str, Any] = {
    "responses": {
        "200": {"description": "It may be sent samples."},
        "503": {"description": "Not yet, or a pack cannot be opened; the sentence says which."},
    }
}


def _read() -> dict[str, Any]:
    native = _NATIVE["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    content: dict[str, Any] = {"application/json": {"schema": {"anyOf": [*native, _PREDICTIONS]}}}
    content["application/jsonlines"] = {"schema": {"type": "string"}}
    taken: dict[str, Any] = dict(_NATIVE["requestBody"]["content"])
    rows = taken["application/json"]["schema"]["anyOf"]
    taken["application/json"] = {"schema": {"anyOf": [_ENVELOPE, *rows]}}
    taken["text/csv"] = {"schema": {"type": "string"}}
    return {
        "description": (
            "What `/read/{pack}` takes, answered as it answers; or a JSON object with a list of "
            "samples: `instances` is answered with `predictions`, `input_data` and `data` with a "
            "list. Of measurements also a CSV with a header. In a list, a sample that cannot be "
            "read has `error` in place of a read."
        ),
        "parameters": [
            *_NATIVE["parameters"],
            _HEADER
            | {
                "name": "X-Amzn-SageMaker-Target-Model",
                "description": "The pack's name, where there are several.",
            },
            _HEADER
            | {
                "name": "X-Amzn-SageMaker-Custom-Attributes",
                "description": "`pack=NAME` names the pack as well.",
            },
        ],
        "requestBody": {"required": True, "content": taken},
        "responses": _NATIVE["responses"]
        | {
            "200": {"description": "The read, or the reads.", "content": content},
            "400": {"description": "The body has not the form of any of these, or names no pack."},
        },
    }


READ = _read()
