"""The Open Inference Protocol v2 over HTTP, as clients of Triton, KServe and MLServer speak it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

import firstread
from firstread.domain.errors import BadMeasurement, BadRequest, UnreadableSample
from firstread.edge.serve.protocols.encoding import opened, squeezed
from firstread.edge.serve.protocols.open_inference_description import (
    Indexed,
    Inferred,
    Live,
    Model,
    ModelReady,
    Ready,
    Refused,
    Server,
    TensorHead,
    said_of,
    said_of_inference,
)
from firstread.edge.serve.protocols.refusals import said_by
from firstread.edge.serve.protocols.tensors import (
    MAX_SAMPLES,
    Call,
    Form,
    Tensor,
    Wanted,
    parse_call,
    top_labels,
    written,
)
from firstread.edge.serve.wire import Answer, Asked, Handler, Route, as_json
from firstread.runtime.kinds import KINDS

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks
    from firstread.packs import Manifest
    from firstread.runtime import Outcome, PackReader

_DATATYPES: dict[type[np.generic], str] = {np.uint8: "UINT8", np.float32: "FP32"}
_PLATFORM = "firstread_pack"
_EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration", "model_repository")
_SAMPLE = Form(name="sample", datatype="BYTES", shape=(-1,))
_OF_SAMPLES = ("read", "probabilities")
"""The outputs that only the whole path of a read can give."""


def _server(_asked: Asked, _packs: WarmPacks) -> Answer:
    said = Server(name="firstread", version=firstread.__version__, extensions=[*_EXTENSIONS])
    return as_json(said)


def _live(_asked: Asked, _packs: WarmPacks) -> Answer:
    return as_json(Live(live=True))


def _ready(_asked: Asked, packs: WarmPacks) -> Answer:
    reason = packs.unready()
    return as_json(Ready(ready=True)) if reason is None else refused(503, reason)


def _index(_asked: Asked, packs: WarmPacks) -> Answer:
    manifests = (packs.manifest(name) for name in packs.names)
    names = zip(packs.names, manifests, strict=True)
    return as_json(
        [Indexed(name=n, version=each.version, state="READY", reason="") for n, each in names]
    )


def _model_ready(asked: Asked, packs: WarmPacks) -> Answer:
    name = _name(asked, packs)
    packs.reader(name)  # a pack that cannot be opened is not ready
    return as_json(ModelReady(name=name, ready=True))


def _model(asked: Asked, packs: WarmPacks) -> Answer:
    name = _name(asked, packs)
    manifest = packs.manifest(name)
    numbers, sample = _forms(manifest)
    inputs = [(numbers, {"instead_of": sample.name}), (sample, {"instead_of": numbers.name})]
    return as_json(
        Model(
            name=name,
            versions=[manifest.version],
            platform=_PLATFORM,
            inputs=[_shown(form, parameters) for form, parameters in inputs],
            outputs=[_shown(form) for form in _output_forms(packs.reader(name))],
        )
    )


def _shown(form: Form, parameters: dict[str, Any] | UnsetType = UNSET) -> TensorHead:
    return TensorHead(
        name=form.name, datatype=form.datatype, shape=list(form.shape), parameters=parameters
    )


def _config(asked: Asked, packs: WarmPacks) -> Answer:
    """Triton's model configuration, as far as it says something of a pack."""
    name = _name(asked, packs)
    inputs = [_configured(form) | {"optional": True} for form in _forms(packs.manifest(name))]
    return as_json(
        {
            "name": name,
            "platform": _PLATFORM,
            "backend": "onnxruntime",
            # 0 says that the first axis of each shape is the batch, and that nothing is put
            # together from several requests.
            "max_batch_size": 0,
            "input": inputs,
            "output": [_configured(form) for form in _output_forms(packs.reader(name))],
            "parameters": {"max_samples": {"string_value": str(MAX_SAMPLES)}},
        }
    )


def _configured(form: Form) -> dict[str, Any]:
    datatype = "STRING" if form.datatype == "BYTES" else form.datatype
    return {"name": form.name, "data_type": f"TYPE_{datatype}", "dims": list(form.shape)}


def _infer(asked: Asked, packs: WarmPacks, *, max_body_bytes: int) -> Answer:
    name = _name(asked, packs)
    manifest = packs.manifest(name)
    call = parse_call(
        opened(asked, max_bytes=max_body_bytes),
        header_bytes=asked.headers.get("inference-header-content-length"),
        forms=_forms(manifest),
    )
    if len(call.inputs) > 1:
        raise BadRequest(f"Send either '{_forms(manifest)[0].name}' or 'sample', not both.")
    reader = packs.reader(name)
    if "sample" in call.inputs:
        tensors = _from_samples(call, reader)
    else:
        tensors = _from_numbers(next(iter(call.inputs.values())), reader)
    head = Inferred(
        model_name=name,
        model_version=manifest.version,
        id=UNSET if call.id is None else call.id,
        outputs=[],
    )
    answer = squeezed(_answer(call, tensors, head=head, labels=manifest.codes), asked)
    return replace(answer, pack=name, reads=next(iter(call.inputs.values())).shape[0])


def _name(asked: Asked, packs: WarmPacks) -> str:
    """The pack that the address names; raises UnknownPack, and BadRequest for its version."""
    name = asked.parts["name"]
    version = asked.parts.get("version")
    here = packs.manifest(name).version
    if version is not None and version != here:
        raise BadRequest(
            f"The pack '{name}' is here in version {here} alone. Ask for it, or for none.",
            status=404,
        )
    return name


def _forms(manifest: Manifest) -> tuple[Form, Form]:
    """The two inputs, of which a request gives one."""
    kind = KINDS[manifest.kind]
    shape = (-1, *kind.shape(manifest))
    return Form(name=kind.input, datatype=_DATATYPES[kind.element], shape=shape), _SAMPLE


def _output_forms(reader: PackReader) -> list[Form]:
    """All outputs of a pack: what its network gives for one blank sample, and the read's own."""
    network = reader.run(KINDS[reader.manifest.kind].blank(reader.manifest))
    forms = [
        Form(name=name, datatype="FP32", shape=(-1, *values.shape[1:]))
        for name, values in network.items()
    ]
    labels = len(reader.manifest.labels)
    forms.append(Form(name="probabilities", datatype="FP32", shape=(-1, labels)))
    return [*forms, Form(name="read", datatype="BYTES", shape=(-1,))]


def _from_numbers(given: Tensor, reader: PackReader) -> dict[str, Tensor]:
    """What the bare network says. Each sample runs alone: a batch would round differently."""
    manifest = reader.manifest
    try:
        rows = KINDS[manifest.kind].checked(np.asarray(given.values), manifest)
    except BadMeasurement as error:
        raise BadRequest(str(error)) from None
    runs = [reader.run(row[np.newaxis]) for row in rows]
    return {name: _stacked(name, [run[name][0] for run in runs]) for name in runs[0]}


def _from_samples(call: Call, reader: PackReader) -> dict[str, Tensor]:
    """The whole path of a read, each sample alone.

    Where some cannot be read, all are refused, so that no place holds numbers that mean nothing;
    unless `read` alone is asked for, where each place says itself what happened.
    """
    samples = call.inputs["sample"].values
    outcomes = [_outcome(bytes(data), reader) for data in samples]
    refused = [(n, each) for n, each in enumerate(outcomes) if isinstance(each, str)]
    if refused and [each.name for each in call.wanted] != ["read"]:
        raise UnreadableSample(
            " ".join(f"Sample {n} of {len(outcomes)} (from 0): {why}" for n, why in refused[:20])
        )
    tensors = {"read": _reads(outcomes)}
    read = [each for each in outcomes if not isinstance(each, str)]
    if not refused:
        tensors |= _numbers_of(read, reader.manifest)
    return tensors


def _outcome(data: bytes, reader: PackReader) -> Outcome | str:
    try:
        return reader.read(data)
    except (UnreadableSample, BadMeasurement) as error:
        return str(error)


def _reads(outcomes: list[Outcome | str]) -> Tensor:
    values = [
        json.dumps({"error": each} if isinstance(each, str) else each.read.as_told()).encode()
        for each in outcomes
    ]
    return Tensor(name="read", datatype="BYTES", shape=(len(values),), values=values)


def _numbers_of(outcomes: list[Outcome], manifest: Manifest) -> dict[str, Tensor]:
    found = {
        "logits": [each.logits for each in outcomes],
        "probabilities": [_probabilities(each, manifest) for each in outcomes],
        "embedding": [each.embedding for each in outcomes if each.embedding is not None],
        "evidence": [each.evidence for each in outcomes if each.evidence is not None],
        "contributions": [_contributions(each) for each in outcomes if each.read.contributions],
    }
    return {name: _stacked(name, rows) for name, rows in found.items() if rows}


def _probabilities(outcome: Outcome, manifest: Manifest) -> NDArray[np.float32]:
    by_label = {finding.label: finding.probability for finding in outcome.read.findings}
    return np.array([by_label[code] for code in manifest.codes], dtype=np.float32)


def _contributions(outcome: Outcome) -> NDArray[np.float32]:
    return np.array([each.logits for each in outcome.read.contributions], dtype=np.float32).T


def _stacked(name: str, rows: list[NDArray[np.float32]]) -> Tensor:
    values = np.stack(rows)
    return Tensor(name=name, datatype="FP32", shape=values.shape, values=values)


def _answer(
    call: Call, tensors: Mapping[str, Tensor], *, head: Inferred, labels: tuple[str, ...]
) -> Answer:
    wanted = call.wanted or tuple(Wanted(name=name, binary=call.binary) for name in tensors)
    pieces = []
    for each in wanted:
        tensor = tensors.get(each.name)
        if tensor is None:
            raise BadRequest(_no_output(each.name, tensors))
        if each.top:
            tensor = top_labels(tensor, top=each.top, labels=labels)
        one, data = written(tensor, binary=each.binary)
        head.outputs.append(one)
        pieces.append(data)
    answer = as_json(head)
    if all(one.parameters is UNSET for one in head.outputs):
        return answer
    return Answer(
        body=b"".join([answer.body, *pieces]),
        media_type="application/octet-stream",
        headers={"inference-header-content-length": str(len(answer.body))},
    )


def _no_output(name: str, tensors: Mapping[str, Tensor]) -> str:
    why = "is given for the input 'sample' alone" if name in _OF_SAMPLES else "is none of this pack"
    return f"The output '{name[:60]}' {why}. There are: {', '.join(tensors)}."


def refused(status: int, sentence: str) -> Answer:
    """A refusal as this protocol writes it."""
    return as_json(Refused(error=sentence), status=status)


def routes(*, max_body_bytes: int) -> tuple[Route, ...]:
    """Every address of the protocol; a compressed body unpacks to `max_body_bytes` at most."""
    found = [
        _route("/v2", _server, _SERVER, said_of("/v2", Server)),
        _route(_LIVE, _live, "Whether the server runs", said_of(_LIVE, Live), anybody=True),
        _route(_READY, _ready, _TAKES, said_of(_READY, Ready, 503), anybody=True),
        _route(_INDEX, _index, _PACKS, said_of(_INDEX, list[Indexed]), method="POST"),
    ]
    of_pack = ("/v2/models/{name}", "/v2/models/{name}/versions/{version}")
    for rest, handler, summary, form in (
        ("/ready", _model_ready, "Whether a pack can be read with; opens it", ModelReady),
        ("", _model, "A pack's inputs, of which a request gives one, and its outputs", Model),
        ("/config", _config, "The same as Triton's model configuration", dict[str, Any]),
    ):
        for path in (f"{pack}{rest}" for pack in of_pack):
            described = said_of(path, form, 404, 503)
            found.append(_route(path, handler, summary, described, reads=True))
    infer = functools.partial(_infer, max_body_bytes=max_body_bytes)
    for path in (f"{pack}/infer" for pack in of_pack):
        described = said_of_inference(path)
        found.append(_route(path, infer, _INFER, described, method="POST", reads=True))
    return tuple(found)


_LIVE, _READY, _INDEX = "/v2/health/live", "/v2/health/ready", "/v2/repository/index"
_SERVER = "What this server is, and which extensions of the protocol it speaks"
_TAKES = "Whether the server takes requests"
_PACKS = "The packs that there are (Triton's model repository)"
_INFER = "Read samples, or run the bare network on tensors"


def _route(
    path: str,
    handler: Handler,
    summary: str,
    described: dict[str, Any],
    *,
    method: str = "GET",
    reads: bool = False,
    anybody: bool = False,
) -> Route:
    return Route(
        method=method,
        path=path,
        handler=said_by(handler, refused),
        reads=reads,
        refuse=refused,
        open=anybody,
        summary=summary,
        tag="Open Inference Protocol v2",
        describe=described,
    )
