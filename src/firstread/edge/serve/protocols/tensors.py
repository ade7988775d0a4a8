"""Tensors as the Open Inference Protocol writes them: in JSON, or as bytes behind it."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import UNSET, UnsetType, ValidationError, convert
from numpy.typing import NDArray

from firstread.domain.errors import BadRequest
from firstread.edge.serve.protocols.open_inference_description import (
    InputParameters,
    InputTensor,
    OutputParameters,
    OutputTensor,
    Request,
    Wish,
)

MAX_SAMPLES = 256
"""Of one request: more would hold a thread for long, and win nothing, as each is read alone."""
MAX_JSON_VALUES = 2_000_000
"""Python holds a number of JSON in up to 32 bytes; what is larger comes as binary data."""

Values = NDArray[Any] | list[bytes]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What an input or output must look like; an axis of -1 takes any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tensor:
    """A tensor with its values: an array of that shape, or for BYTES a list in order."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Values


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An output that the request names."""

    name: str
    binary: bool
    top: int = 0
    """Triton's classification: so many labels instead of all values; 0 for the values."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """What one inference request holds."""

    id: str | None
    inputs: Mapping[str, Tensor]
    wanted: tuple[Wanted, ...]
    """Empty: everything there is."""
    binary: bool
    """Whether outputs that the request does not name are given as binary data."""


def parse_call(body: bytes, *, header_bytes: str | None, forms: Sequence[Form]) -> Call:
    """The request that `body` holds; `header_bytes` says how much of it is JSON, None means all.

    Raises BadRequest where it is not one, or an input is not of its form.
    """
    text, rest = _split(body, header_bytes=header_bytes)
    found, by_name = json_object(text), {form.name: form for form in forms}
    try:
        asked = convert(found, Request)
    except ValidationError as error:
        raise BadRequest(_sentence(str(error), found, by_name)) from None
    inputs = _inputs(asked.inputs, rest=rest, forms=by_name)
    binary = asked.parameters is not None and asked.parameters.binary_data_output is True
    wanted = _wanted(asked.outputs or (), binary=binary)
    return Call(id=asked.id, inputs=inputs, wanted=wanted, binary=binary)


def _sentence(said: str, found: dict[str, Any], forms: Mapping[str, Form]) -> str:
    """What to change at the place of the request where its form is amiss."""
    said, _, path = said.partition(" - at `$")
    if said.startswith("Object missing"):
        path += f".{said.split('`')[1]}"
    fields, place = re.findall("[a-z_]+", path), re.search(r"\[(\d+)\]", path)
    element = found[fields[0]][int(place[1])] if place else None
    name = element.get("name") if isinstance(element, dict) else None
    match fields:
        case ["id"]:
            return "The 'id' of the request must be a string."
        case ["parameters", *_]:
            return "'parameters' must be a JSON object."
        case ["inputs"] if place is None:
            return f"The request needs 'inputs', a list with one of: {', '.join(forms)}."
        case ["inputs", *rest]:
            return _sentence_of_input(rest, name, forms)
    return _sentence_of_output(fields[1:], name)


def _sentence_of_output(fields: list[str], name: Any) -> str:
    match fields:
        case ["parameters"]:
            return f"'parameters' of '{str(name)[:60]}' must be a JSON object."
        case ["parameters", _]:
            return (
                f"Of the output '{str(name)[:60]}', binary_data must be true or false and "
                "classification a number of labels."
            )
    return "'outputs' must be a list of objects with a 'name'."


def _sentence_of_input(fields: list[str], name: Any, forms: Mapping[str, Form]) -> str:
    if not isinstance(name, str) or name not in forms:
        shown = f"'{name[:60]}' is no input. " if isinstance(name, str) else ""
        return f"{shown}Name one of: {', '.join(forms)}."
    match fields:
        case ["datatype"]:
            return f"The input '{name}' must have the datatype {forms[name].datatype}."
        case ["shape"]:
            whole = ", ".join(["N", *map(str, forms[name].shape[1:])])
            return f"The input '{name}' must have the shape [{whole}]."
        case ["parameters"]:
            return f"'parameters' of '{name}' must be a JSON object."
    return (
        f"The binary_data_size of '{name}' must be the number of its bytes behind the JSON, and "
        "Inference-Header-Content-Length must say where the JSON ends."
    )


def json_object(text: bytes) -> dict[str, Any]:
    """The JSON object that `text` holds; raises BadRequest where it holds none, or too much."""
    found = json_value(text)
    if not isinstance(found, dict):
        raise BadRequest("The JSON of the body must be an object.")
    return found


def json_value(text: bytes) -> Any:
    """What the JSON `text` holds; raises BadRequest where it is none, or holds too much."""
    if text.count(b",") > MAX_JSON_VALUES:
        raise BadRequest(
            f"The JSON holds more than {MAX_JSON_VALUES:,} values. Send it in several requests, "
            "tensors as binary data.",
            status=413,
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON. Send JSON, or name its Content-Type.") from None


def _split(body: bytes, *, header_bytes: str | None) -> tuple[bytes, memoryview]:
    if header_bytes is None:
        return body, memoryview(b"")
    size = header_bytes.strip()
    if not (size.isascii() and size.isdigit() and len(size) < 16 and int(size) <= len(body)):
        raise BadRequest(
            "Inference-Header-Content-Length must be the length in bytes of the JSON at the "
            "beginning of the body."
        )
    return body[: int(size)], memoryview(body)[int(size) :]


def _inputs(
    given: Sequence[InputTensor], *, rest: memoryview, forms: Mapping[str, Form]
) -> dict[str, Tensor]:
    inputs: dict[str, Tensor] = {}
    for each in given:
        if each.name not in forms:
            raise BadRequest(_sentence_of_input(["name"], each.name, forms))
        if each.name in inputs:
            raise BadRequest(f"The input '{each.name}' is given twice. Leave one of them out.")
        inputs[each.name], rest = _input(each, forms=forms, rest=rest)
    if len(rest):
        raise BadRequest(
            f"The body holds {len(rest)} bytes more than the inputs' binary_data_size add up to. "
            "Correct these, or Inference-Header-Content-Length."
        )
    return inputs


def _input(
    given: InputTensor, *, forms: Mapping[str, Form], rest: memoryview
) -> tuple[Tensor, memoryview]:
    form = forms[given.name]
    if given.datatype != form.datatype:
        raise BadRequest(
            f"The input '{form.name}' must have the datatype {form.datatype}, not "
            f"{given.datatype[:20]}."
        )
    shape = _shape(given.shape, form=form, forms=forms)
    parameters = given.parameters or InputParameters()
    if parameters.shared_memory_region is not UNSET:
        raise BadRequest("This reader shares no memory with its clients. Send the data itself.")
    size = parameters.binary_data_size
    values: Values
    if size is None:
        values = _from_json(given.data, form=form, shape=shape)
    else:
        if given.data is not UNSET:
            raise BadRequest(
                f"The input '{form.name}' comes both as 'data' and as binary data. Send one."
            )
        if size > len(rest):
            raise BadRequest(
                _sentence_of_input(["parameters", "binary_data_size"], form.name, forms)
            )
        values = _from_bytes(rest[:size], form=form, shape=shape)
        rest = rest[size:]
    return Tensor(name=form.name, datatype=form.datatype, shape=shape, values=values), rest


def _shape(found: list[int], *, form: Form, forms: Mapping[str, Form]) -> tuple[int, ...]:
    if form.datatype == "BYTES" and found[1:] == [1]:
        found = found[:1]  # how some clients write a column of strings
    if len(found) != len(form.shape) or found[1:] != [*form.shape[1:]]:
        raise BadRequest(_sentence_of_input(["shape"], form.name, forms))
    if not 1 <= found[0] <= MAX_SAMPLES:
        raise BadRequest(f"One request holds 1 to {MAX_SAMPLES} samples. Send several requests.")
    return tuple(found)


def _from_bytes(data: memoryview, *, form: Form, shape: tuple[int, ...]) -> Values:
    if form.datatype == "BYTES":
        return _byte_strings(data, name=form.name, count=shape[0])
    dtype = np.dtype("<f4") if form.datatype == "FP32" else np.dtype("u1")
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise BadRequest(
            f"The binary data of '{form.name}' has {len(data)} bytes where its shape asks for "
            f"{math.prod(shape) * dtype.itemsize}."
        )
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def _byte_strings(data: memoryview, *, name: str, count: int) -> list[bytes]:
    found: list[bytes] = []
    place = 0
    while place + 4 <= len(data) and len(found) <= count:
        (size,) = struct.unpack_from("<I", data, place)
        place += 4 + size
        found.append(bytes(data[place - size : place]))
    if place != len(data) or len(found) != count:
        raise BadRequest(
            f"The binary data of '{name}' must hold {count} elements, each with its length in "
            "four bytes before it."
        )
    return found


def _from_json(data: Any, *, form: Form, shape: tuple[int, ...]) -> Values:
    if not isinstance(data, list):
        raise BadRequest(
            f"The input '{form.name}' has no data: give 'data', a list, or binary_data_size."
        )
    if form.datatype == "BYTES":
        return _strings(data, name=form.name, count=shape[0])
    numbers = _numbers(data, form=form)
    if numbers.size != math.prod(shape) or numbers.shape not in (shape, (numbers.size,)):
        raise BadRequest(
            f"The data of '{form.name}' has {numbers.size} values where its shape asks for "
            f"{math.prod(shape)}, one behind the other or nested as the shape says."
        )
    return numbers.reshape(shape)


def _strings(data: list[Any], *, name: str, count: int) -> list[bytes]:
    flat = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in data]
    if len(flat) != count or not all(isinstance(each, str) for each in flat):
        raise BadRequest(f"The data of '{name}' must be a list of {count} strings.")
    return [sample_of_text(each, name=name) for each in flat]


def sample_of_text(text: str, *, name: str) -> bytes:
    """The bytes of a sample that came as a string: base64, or a JSON object as it is."""
    if text.lstrip().startswith("{"):
        return text.encode("utf-8", errors="replace")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"A string of '{name}' is not base64. Encode the file's bytes.") from None


def _numbers(data: list[Any], *, form: Form) -> NDArray[Any]:
    refusal = BadRequest(
        f"The data of '{form.name}' must be whole numbers from 0 to 255."
        if form.datatype == "UINT8"
        else f"The data of '{form.name}' must be numbers, null where one is missing."
    )
    # As objects first: left to itself NumPy would make room for the longest of all strings in
    # each place, and take true for 1.
    kinds = {int} if form.datatype == "UINT8" else {int, float, type(None)}
    try:
        found = np.array(data, dtype=object)
        if not set(map(type, found.flat)) <= kinds:
            raise refusal
        if form.datatype == "FP32":
            return found.astype(np.float64)
        whole = found.astype(np.int64)
    except (ValueError, OverflowError):
        raise refusal from None
    if whole.size and not (whole.min() >= 0 and whole.max() <= 255):
        raise refusal
    return whole.astype(np.uint8)


def _wanted(found: Sequence[Wish], *, binary: bool) -> tuple[Wanted, ...]:
    wanted: dict[str, Wanted] = {}
    for each in found:
        if each.name in wanted:
            raise BadRequest(
                f"The output '{each.name[:60]}' is named twice. Leave one of them out."
            )
        parameters = each.parameters or OutputParameters()
        if parameters.shared_memory_region is not UNSET:
            raise BadRequest("This reader shares no memory with its clients. Take the data itself.")
        told, top = parameters.binary_data, parameters.classification
        as_bytes = binary if isinstance(told, UnsetType) else told
        wanted[each.name] = Wanted(name=each.name, binary=as_bytes, top=top)
    return tuple(wanted.values())


def top_labels(tensor: Tensor, *, top: int, labels: Sequence[str]) -> Tensor:
    """Triton's classification of a tensor [N, K]: BYTES [N, top], each 'value:place:label'."""
    if tensor.datatype != "FP32" or tensor.shape[1:] != (len(labels),):
        raise BadRequest(
            f"The output '{tensor.name}' has no labels to choose the first ones of. Ask for "
            "it whole."
        )
    scores = np.asarray(tensor.values)
    top = min(top, len(labels))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    values = [
        f"{scores[n, k]:f}:{k}:{labels[k]}".encode() for n, row in enumerate(order) for k in row
    ]
    return Tensor(name=tensor.name, datatype="BYTES", shape=(tensor.shape[0], top), values=values)


def written(tensor: Tensor, *, binary: bool) -> tuple[OutputTensor, bytes]:
    """The output as its JSON object and the bytes to stand behind the JSON, if any."""
    head = OutputTensor(name=tensor.name, datatype=tensor.datatype, shape=list(tensor.shape))
    if binary:
        data = _as_bytes(tensor.values)
        head.parameters = {"binary_data_size": len(data)}
        return head, data
    if isinstance(tensor.values, list):
        head.data = [each.decode() for each in tensor.values]
    else:
        # JSON has no word for a number that is none; no network of ours gives one.
        flat = tensor.values.ravel().tolist()
        head.data = [each if math.isfinite(each) else None for each in flat]
    return head, b""


def _as_bytes(values: Values) -> bytes:
    if isinstance(values, list):
        return b"".join(struct.pack("<I", len(each)) + each for each in values)
    return values.astype("<f4", copy=False).tobytes()
