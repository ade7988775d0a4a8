"""The contracts by which SageMaker, Vertex AI and Azure ML call a container."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import ValidationError, convert

from firstread.domain.errors import BadMeasurement, BadRequest, UnreadableSample
from firstread.edge.serve import health
from firstread.edge.serve.protocols import clouds_description as describe
from firstread.edge.serve.protocols import native
from firstread.edge.serve.protocols.chosen import chosen_pack
from firstread.edge.serve.protocols.tensors import json_value, sample_of_text
from firstread.edge.serve.wire import Answer, Asked, Handler, Route, as_json
from firstread.tables.measurements import MAX_ROWS

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks
    from firstread.packs import Manifest
    from firstread.runtime import PackReader

_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_TARGET = "x-amzn-sagemaker-target-model"
_LISTS = ("instances", "input_data", "data")
"""Under which key a list of samples comes: Vertex AI's, and those of Azure ML's tools."""

Said = dict[str, Any]


def _read(asked: Asked, packs: WarmPacks, *, default_pack: str | None) -> Answer:
    """Read what the body holds: as `/read/PACK` does, or a list of samples in JSON."""
    content = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    found = json_value(asked.body) if content == "application/json" else None
    envelope = found if isinstance(found, dict) else {}
    name = chosen_pack(
        packs,
        asked=_named_in(envelope) or _named_by(asked),
        default=default_pack,
        how="in 'parameters': {'pack': NAME}, or as SageMaker's target model",
    )
    manifest = packs.manifest(name)
    key = next((key for key in _LISTS if key in envelope and not _measures(manifest, key)), None)
    if key is not None:
        answer = _instances(envelope[key], packs.reader(name), wrapped=key == "instances")
    else:
        answer = native.read(replace(asked, parts={"pack": name}), packs)
    told = {_ATTRIBUTES: f"pack={name},version={manifest.version}"}
    answer = replace(answer, pack=name, headers={**answer.headers, **told})
    return _in_lines(answer) if "jsonlines" in asked.headers.get("accept", "") else answer


def _named_in(envelope: Said) -> str | None:
    parameters = envelope.get("parameters")
    if parameters is None or not any(key in envelope for key in _LISTS):
        return None
    try:
        return convert(parameters, describe.Parameters).pack
    except ValidationError as error:
        raise BadRequest(
            "The parameter 'pack' must be the name of a pack."
            if "$.pack" in str(error)
            else "This reader knows one of the 'parameters': 'pack', the pack's name."
        ) from None


def _named_by(asked: Asked) -> str | None:
    """The pack that SageMaker's headers name; other attributes belong to the caller."""
    target = asked.headers.get(_TARGET, "").strip().lstrip("/")
    if target:
        return target.removesuffix(".tar.gz")
    for attribute in asked.headers.get(_ATTRIBUTES, "").split(","):
        key, _, value = attribute.partition("=")
        if key.strip() == "pack" and value.strip():
            return value.strip()
    return None


def _measures(manifest: Manifest, key: str) -> bool:
    return any(each.code == key for each in manifest.measurements)


def _instances(found: Any, reader: PackReader, *, wrapped: bool) -> Answer:
    if not isinstance(found, list) or not found:
        raise BadRequest("The samples must be a list with at least one in it.")
    if len(found) > MAX_ROWS:
        raise BadRequest(
            f"This list has more than {MAX_ROWS} samples. Send it in several requests.", status=413
        )
    said = [_said(functools.partial(_instance, each, reader)) for each in found]
    return replace(as_json({"predictions": said} if wrapped else said), reads=len(said))


def _said(read: Callable[[], Said]) -> Said:
    """The answer, or in its place the sentence that says why there is none."""
    try:
        return read()
    except (UnreadableSample, BadMeasurement, BadRequest) as error:
        return {"error": str(error)}


def _instance(found: Any, reader: PackReader) -> Said:
    encoded = _encoded(found)
    if encoded is not None:
        return reader.read(sample_of_text(encoded, name="b64")).read.as_answer()
    measurements = reader.manifest.measurements
    if measurements and isinstance(found, dict):
        return _measured(found, reader)
    if measurements and isinstance(found, list) and len(found) == len(measurements):
        codes = (each.code for each in measurements)
        return _measured(dict(zip(codes, found, strict=True)), reader)
    takes = "an object with one number for each measurement" if measurements else "{'b64': BASE64}"
    raise BadRequest(f"A sample for the pack {reader.manifest.name} must be {takes}.")


def _measured(values: Said, reader: PackReader) -> Said:
    return reader.read_measurements(values).read.as_answer()


def _encoded(found: Any) -> str | None:
    """The base64 of `{"b64": ...}`, bare or as the only member of an object; else None."""
    if isinstance(found, dict) and len(found) == 1:
        (inner,) = found.values()
        found = inner if isinstance(inner, dict) and "b64" in inner else found
    text = found.get("b64") if isinstance(found, dict) else found
    return text if isinstance(text, str) else None


def _in_lines(answer: Answer) -> Answer:
    found = json.loads(answer.body)
    rows = found if isinstance(found, list) else [found]
    body = b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)
    return replace(answer, body=body, media_type="application/jsonlines")


def routes(
    *, default_pack: str | None, health_route: str | None, predict_route: str | None
) -> tuple[Route, ...]:
    """SageMaker's and Azure ML's addresses, and those that Vertex AI chose, if it runs us."""
    read = functools.partial(_read, default_pack=default_pack)
    found = [
        _ask("/ping", "SageMaker asks whether it may send samples", tag="SageMaker"),
        _call("/invocations", read, "Read samples as SageMaker sends them", tag="SageMaker"),
        _call("/score", read, "Read samples as Azure ML sends them", tag="Azure ML"),
    ]
    if health_route is not None:
        found.append(_ask(health_route, "Vertex AI asks whether it may send", tag="Vertex AI"))
    if predict_route is not None:
        summary = "Read samples as Vertex AI sends them"
        found.append(_call(predict_route, read, summary, tag="Vertex AI"))
    return tuple(found)


def _ask(path: str, summary: str, *, tag: str) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=health.ready,
        reads=False,
        open=True,
        summary=summary,
        tag=tag,
        describe=describe.ASK,
    )


def _call(path: str, handler: Handler, summary: str, *, tag: str) -> Route:
    return Route(
        method="POST",
        path=path,
        handler=handler,
        reads=True,
        summary=summary,
        tag=tag,
        describe=describe.READ,
    )
