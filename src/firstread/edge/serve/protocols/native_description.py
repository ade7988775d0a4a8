"""What the OpenAPI description says of Firstread's own addresses."""

from __future__ import annotations

from typing import Any

from firstread.domain.kinds import WORDS

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What happened and what to do about it, in the form of RFC 9457.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence with the remedy."},
        "field": {"type": "string", "description": "The measurement that is wrong."},
    },
    "required": ["type", "title", "status", "detail"],
}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_CODE = {"type": "string"}
_CODES = {"type": "array", "items": _CODE}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


_ANSWER = _object(
    {
        "label": {**_CODE, "description": "The most probable label."},
        "probability": {**_SHARE, "description": "Calibrated."},
        "findings": {
            "type": "array",
            "description": "Every label, most probable first.",
            "items": _object({"label": _CODE, "probability": _SHARE}),
        },
        "groups": {
            "type": "array",
            "description": "Each group of labels with the sum of their probabilities.",
            "items": _object({"label": _CODE, "probability": _SHARE}),
        },
        "finding_set": {**_CODES, "description": "The labels that cannot be ruled out."},
        "familiarity": {
            "description": "How much the sample looks like what the pack was measured on.",
            "anyOf": [
                _object({"score": _SHARE, "familiar": {"type": "boolean"}}),
                {"type": "null"},
            ],
        },
        "alarms": {
            **_CODES,
            "description": "Positive labels and groups at or past their operating point.",
        },
        "unfit": {
            "type": ["string", "null"],
            "description": "Why no model may be trusted with this sample.",
        },
        "contributions": {
            "type": "array",
            "description": "Of measurements: what each adds to the logit of each label.",
            "items": {"type": "object"},
        },
        "pack": _CODE,
        "version": _CODE,
        "ms": {"type": "number", "description": "How long the read took."},
        "evidence": {
            "description": "With ?evidence=png: a transparent PNG, in base64, to lay over the "
            "picture; null where the pack has no map.",
            "anyOf": [_object({"label": _CODE, "png": _CODE}), {"type": "null"}],
        },
    },
    optional=("contributions", "evidence"),
)
_PLACE = {
    "path": {**_CODE, "description": "The file's name in the form."},
    "line": {"type": "integer", "description": "The place in the list, from 1."},
}
_PLACED = {
    "anyOf": [
        {"allOf": [{"$ref": "#/components/schemas/Answer"}, {"properties": _PLACE}]},
        _object(_PLACE | {"error": {"type": "string"}}, optional=("path", "line")),
    ]
}
_PICTURE = {
    "schema": {"type": "string", "format": "binary", "description": "The bytes of one picture."}
}

SCHEMAS = {"Answer": _ANSWER, "Problem": PROBLEM}

READ: dict[str, Any] = {
    "description": (
        "A picture as the whole body, or several as files of a multipart form; for a pack of "
        "measurements a JSON object, or a list of them. One sample is answered with its read. A "
        "form or a list is answered with a list in its order, in which a sample that cannot be "
        "read has `error` in place of a read."
    ),
    "parameters": [
        {
            "name": "evidence",
            "in": "query",
            "schema": {"enum": ["png"]},
            "description": "Adds the evidence map.",
        },
        {
            "name": "label",
            "in": "query",
            "schema": {"type": "string"},
            "description": "The label whose map is wanted; the most probable one if absent.",
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "image/*": _PICTURE,
            "application/octet-stream": _PICTURE,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "description": "Each file is one sample; their names come back as `path`.",
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                    "required": ["file"],
                }
            },
            "application/json": {
                "schema": {
                    "description": "A number for each measurement; or a list of such objects.",
                    "anyOf": [
                        {"type": "object"},
                        {"type": "array", "items": {"type": "object"}, "minItems": 1},
                    ],
                }
            },
        },
    },
    "responses": {
        "200": {
            "description": "The read, or the reads.",
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Answer"},
                            {"type": "array", "items": _PLACED},
                        ]
                    }
                }
            },
        },
        "400": {"description": "The multipart form is damaged."},
        "404": {"description": "No pack of that name."},
        "413": {"description": "The request is larger than this reader takes."},
        "415": {"description": "A picture for measurements, or the other way round."},
        "422": {"description": "The sample cannot be read; the sentence says why."},
        "503": {
            "description": "The pack is damaged, or as many requests wait as this reader takes: "
            "then Retry-After says when to send it again."
        },
    },
}

_PACK = _object(
    {
        "name": _CODE,
        "version": _CODE,
        "title": _CODE,
        "check": _CODE,
        "kind": {"enum": list(WORDS)},
        "intended_use": _CODE,
        "labels": {
            "type": "array",
            "items": _object({"code": _CODE, "title": _CODE, "positive": {"type": "boolean"}}),
        },
        "groups": {
            "type": "array",
            "description": "Answers that are the sum of several labels' probabilities.",
            "items": _object(
                {"code": _CODE, "title": _CODE, "labels": _CODES, "positive": {"type": "boolean"}}
            ),
        },
        "warm": {"type": "boolean", "description": "Whether it is open and reads at once."},
    }
)
ALL_PACKS: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "Each pack in short.",
            "content": {"application/json": {"schema": {"type": "array", "items": _PACK}}},
        },
        "503": {"description": "A pack is damaged; the sentence says which."},
    }
}
ONE_PACK: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "Its pack.toml as JSON, with the pack's hash as `pack_sha256`.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "404": {"description": "No pack of that name."},
        "503": {"description": "The pack is damaged; the sentence says how."},
    }
}
