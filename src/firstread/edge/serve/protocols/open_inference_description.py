"""What a client and a server of the Open Inference Protocol v2 say to each other, as values."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from firstread.edge.serve.describe import BINARY, answered, content, given


class Refused(Struct):
    """Why it was not done."""

    error: str


class Server(Struct):
    name: str
    version: str
    extensions: list[str]


class Live(Struct):
    live: bool


class Ready(Struct):
    ready: bool


class ModelReady(Struct):
    name: str
    ready: bool


class Indexed(Struct):
    """A pack in Triton's model repository."""

    name: str
    version: str
    state: str
    reason: str


class TensorHead(Struct, kw_only=True):
    """A tensor without its values."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, Any] | UnsetType = UNSET


class OutputTensor(TensorHead, kw_only=True):
    """A tensor; its values stand behind the JSON where `parameters` has a binary_data_size."""

    data: list[Any] | UnsetType = UNSET


class Model(Struct):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorHead]
    outputs: list[TensorHead]


class Inferred(Struct, kw_only=True):
    """What a pack, or its bare network, says of the samples."""

    model_name: str
    model_version: str
    id: str | UnsetType = UNSET
    outputs: list[OutputTensor]


class CallParameters(Struct):
    binary_data_output: Annotated[
        Any, Meta(extra_json_schema={"type": "boolean"}, description="Of outputs not named.")
    ] = False


class InputParameters(Struct):
    binary_data_size: Annotated[int, Meta(ge=0)] | None = None
    shared_memory_region: Any = UNSET


class InputTensor(Struct, kw_only=True):
    """A tensor that is sent: with its values, or with how many bytes of them follow the JSON."""

    name: str
    datatype: str
    shape: list[int]
    parameters: InputParameters | None = None
    data: Annotated[Any, Meta(extra_json_schema={"type": "array", "items": {}})] = UNSET


class OutputParameters(Struct):
    binary_data: bool | UnsetType = UNSET
    classification: Annotated[int, Meta(ge=0)] = 0
    shared_memory_region: Any = UNSET


class Wish(Struct):
    """An output that is asked for."""

    name: str
    parameters: OutputParameters | None = None


class Request(Struct, kw_only=True):
    """One call of the network, or for reads."""

    id: str | None = None
    parameters: CallParameters | None = None
    inputs: Annotated[list[InputTensor], Meta(min_length=1)]
    outputs: list[Wish] | None = None


_REFUSED = {
    400: "The request is not of the protocol's form; the sentence says what to change.",
    404: "No pack of that name, or none of that version.",
    413: "The body is larger than this reader takes, packed or unpacked.",
    415: "The body is compressed in a way this reader does not know.",
    422: "A sample cannot be read; the sentence says which, and why.",
    503: "The pack is damaged, or more requests wait than this reader takes.",
}
_NAMED = {
    "name": "The pack's name.",
    "version": "The pack's version; another than the one that is here is refused.",
}
_BINARY = content(BINARY, media_type="application/octet-stream")
_BYTES = given(
    "Inference-Header-Content-Length",
    "header",
    "How many bytes of the body are JSON; binary data follow.",
    schema={"type": "integer", "minimum": 0},
)


def said_of(path: str, form: Any, *refused: int) -> dict[str, Any]:
    """The OpenAPI operation at `path`, which answers with `form`."""
    told = answered(
        content(form), refused={status: _REFUSED[status] for status in refused}, form=Refused
    )
    places = [given(n, "path", what) for n, what in _NAMED.items() if f"{{{n}}}" in path]
    return told | ({"parameters": places} if places else {})


def said_of_inference(path: str) -> dict[str, Any]:
    """The OpenAPI operation that reads."""
    told = said_of(path, Inferred, 400, 404, 413, 415, 422, 503)
    told["responses"]["200"]["content"] |= _BINARY
    return told | {
        "parameters": [*told["parameters"], _BYTES],
        "requestBody": {"required": True, "content": content(Request) | _BINARY},
    }
