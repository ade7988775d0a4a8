"""What the addresses that clouds call take and answer."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from firstread.edge.serve.describe import TEXT, answered, content, given
from firstread.edge.serve.protocols.native_description import ASKED, READS, REFUSED, ROWS, TAKES

Samples = Annotated[list[Any], Meta(min_length=1)] | UnsetType


class Parameters(Struct, forbid_unknown_fields=True):
    """What a list of samples comes with."""

    pack: str | None = None


class Envelope(Struct):
    """A list of samples: rows, or pictures as `{"b64": BASE64}`."""

    instances: Samples = UNSET
    input_data: Samples = UNSET
    data: Samples = UNSET
    parameters: Parameters | UnsetType = UNSET


class Predictions(Struct):
    """The answers to `instances`, in their order."""

    predictions: list[dict[str, Any]]


ASK = answered(
    {},
    says="It may be sent samples.",
    refused={503: "Not yet, or a pack cannot be opened; the sentence says which."},
)
READ: dict[str, Any] = {
    "description": (
        "What `/read/{pack}` takes, answered as it answers; or a JSON object with a list of "
        "samples: `instances` is answered with `predictions`, `input_data` and `data` with a "
        "list. In a list, a sample that cannot be "
        "read has `error` in place of a read."
    ),
    "parameters": [
        *ASKED,
        given(
            "X-Amzn-SageMaker-Target-Model", "header", "The pack's name, where there are several."
        ),
        given(
            "X-Amzn-SageMaker-Custom-Attributes", "header", "`pack=NAME` names the pack as well."
        ),
    ],
    "requestBody": {
        "required": True,
        "content": TAKES | content({"anyOf": [Envelope, *ROWS]}),
    },
    **answered(
        content({"anyOf": [*READS, Predictions]})
        | content(TEXT, media_type="application/jsonlines"),
        says="The read, or the reads.",
        refused=REFUSED | {400: "The body has not the form of any of these, or names no pack."},
    ),
}
