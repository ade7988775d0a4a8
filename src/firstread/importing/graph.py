"""A foreign ONNX graph, opened with care and made plain: a picture in, float32, newer operators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, inliner, numpy_helper, shape_inference
from onnx import version_converter as converter

from firstread.domain.errors import ModelRefused

OPSET = 18
"""The version of ONNX's operators that networks are written with."""
IR_VERSION = 10
"""The version of ONNX's file format that they are written in."""
OLDEST_OPSET = 13
"""From here on what is added means the same in every newer set; older graphs are brought to 18."""
SMALL = 1024
"""Weights fewer than this are held in single precision."""
INSIDE = "model/"
"""Before every name of the foreign graph, so that none is one of ours."""

_FLOATS = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
_TAKEN = (TensorProto.FLOAT, TensorProto.UINT8, *_FLOATS)
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}


def checked(model: onnx.ModelProto, *, what: str, remedy: str) -> bytes:
    """The bytes of a model that was put together; raises ModelRefused where it does not hold."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, shape_inference.InferenceError) as error:
        raise ModelRefused(f"{what}: {str(error).strip()[:200]}. {remedy}") from None
    return bytes(model.SerializeToString(deterministic=True))


@dataclass(kw_only=True)
class Graph:
    """The plain graph and what is known of its input and of what holds its answers."""

    model: onnx.ModelProto
    given: str
    """Its input: float32 of `given_shape`, None where it takes any size."""
    given_shape: tuple[int | None, ...]
    answers: str
    """The tensor with one number a label."""
    end: str
    """What the answers go through at last, and is left out: Softmax, LogSoftmax, Sigmoid, or ''."""

    @property
    def graph(self) -> Any:
        """The graph itself."""
        return self.model.graph

    def maker(self, name: str) -> Any | None:
        """The node that makes a tensor; None for inputs and weights."""
        return next((node for node in self.graph.node if name in node.output), None)

    def weights(self, name: str) -> NDArray[Any] | None:
        """The constant of that name, straight or behind a cast; None where it is none."""
        node = self.maker(name)
        if node is not None and node.op_type == "Cast":
            name = node.input[0]
        elif node is not None:
            return None
        for each in self.graph.initializer:
            if each.name == name:
                found = numpy_helper.to_array(each)
                return found.astype(np.float32) if found.dtype.kind == "f" else found
        return None

    def shapes(self) -> dict[str, tuple[int | None, ...]]:
        """The shape of each tensor as far as it follows from the input's."""
        try:
            told = shape_inference.infer_shapes(self.model).graph
        except (shape_inference.InferenceError, ValueError):
            return {}
        found = {}
        for value in (*told.value_info, *told.output, *told.input):
            if value.type.tensor_type.HasField("shape"):
                found[value.name] = shape_of(value)
        return found


def shape_of(value: onnx.ValueInfoProto) -> tuple[int | None, ...]:
    """The declared shape; None where a size is open."""
    dims = value.type.tensor_type.shape.dim
    return tuple(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims)


def opened_model(data: bytes) -> onnx.ModelProto:
    """The model in the bytes of an ONNX file.

    Raises ModelRefused where they hold none, name files beside them, or need operators that
    ONNX Runtime does not have.
    """
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError, RecursionError):
        raise ModelRefused("This is no ONNX file. Export the model as ONNX again.") from None
    if not model.graph.node:
        raise ModelRefused("This ONNX file holds no network. Export the model as ONNX again.")
    for each in _tensors(model):
        if each.data_location == TensorProto.EXTERNAL or each.external_data:
            raise ModelRefused(
                "The weights of this model lie in a file beside it. Save it as one file: "
                "onnx.save(onnx.load('model.onnx'), 'one.onnx')."
            )
    other = {each.domain for each in model.opset_import} - _DOMAINS
    other -= {each.domain for each in model.functions}
    if other:
        raise ModelRefused(
            f"The model needs operators of '{min(other)[:60]}', which ONNX Runtime does not "
            "have. Export it with standard operators."
        )
    return model


def said_in(model: onnx.ModelProto) -> dict[str, Any]:
    """What the file says beside its numbers: its metadata, and the classes of its classifiers."""
    said: dict[str, Any] = {each.key: each.value for each in model.metadata_props}
    for node in model.graph.node:
        for each in node.attribute:
            if each.name.startswith("classlabels"):
                said.setdefault(each.name, [*each.strings, *each.ints] or None)
    return {key: value for key, value in said.items() if value is not None}


def _tensors(model: onnx.ModelProto) -> Iterator[Any]:
    """Every array of the file, wherever it stands: each may name another file."""
    nodes: list[Any] = [node for each in model.functions for node in each.node]
    graphs: list[Any] = [model.graph]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes.extend(graph.node)
            continue
        for attribute in nodes.pop().attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            graphs.extend([attribute.g] if attribute.HasField("g") else [])
            graphs.extend(attribute.graphs)


def plain_graph(model: onnx.ModelProto, *, output: str | None, labels: int) -> Graph:
    """The model in float32, with standard operators of version 13 or newer, all names prefixed.

    Where its answers go through a last Softmax or Sigmoid, `answers` is what goes into it. Raises
    ModelRefused where it does not take one picture, or none of its outputs has `labels` numbers.
    """
    model = onnx.ModelProto.FromString(model.SerializeToString())
    if model.functions:
        model = inliner.inline_local_functions(model)
    _drop_what_does_not_count(model.graph)
    given = _input(model.graph)
    answers, end = _before_the_end(model.graph, _output(model.graph, named=output, labels=labels))
    shape = shape_of(given)
    _keep_only(model.graph, answers)
    _single_precision(model.graph)
    model = _newer(model)
    model = compose.add_prefix(model, INSIDE)
    plain = Graph(
        model=model,
        given=INSIDE + given.name,
        given_shape=shape,
        answers=INSIDE + answers,
        end=end,
    )
    del plain.graph.value_info[:]  # it was declared for one batch size
    return plain


def _drop_what_does_not_count(graph: Any) -> None:
    constants = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)
    kept = []
    for node in graph.node:
        value = next((each.t for each in node.attribute if each.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            value.name = node.output[0]
            graph.initializer.append(value)
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _input(graph: Any) -> Any:
    if len(graph.input) != 1:
        names = ", ".join(each.name for each in graph.input[:6]) or "none"
        raise ModelRefused(
            f"The model must take one input, the picture; it takes: {names}. Export the part that "
            "reads the picture."
        )
    given = graph.input[0]
    if given.type.tensor_type.elem_type not in _TAKEN or len(shape_of(given)) != 4:
        raise ModelRefused(
            f"The input '{given.name[:60]}' is no picture of four axes (batch, channels, height, "
            "width). Name a classifier of pictures: no other ONNX file can be imported."
        )
    return given


def _output(graph: Any, *, named: str | None, labels: int) -> str:
    names = [each.name for each in graph.output]
    if named is not None:
        if named not in names:
            raise ModelRefused(
                f"The model has no output '{named[:60]}'. Name one of them: {', '.join(names[:8])}."
            )
        return named
    if len(names) == 1:
        return str(names[0])
    fitting = [each.name for each in graph.output if labels in shape_of(each)[1:]]
    if len(fitting) != 1:
        raise ModelRefused(
            f"The model has {len(names)} outputs: {', '.join(names[:8])}. Say which one holds the "
            "answers: --output NAME."
        )
    return str(fitting[0])


PASSING = ("Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Cast")
"""Operators that hand numbers on as they are, when a batch is read."""


def made_by(graph: Any, name: str, *, through: Iterable[str] = PASSING) -> Any | None:
    """The node that computes a tensor, past those that only hand it on."""
    makers = {out: node for node in graph.node for out in node.output}
    node = makers.get(name)
    while node is not None and node.op_type in through:
        node = makers.get(node.input[0])
    return node


def _before_the_end(graph: Any, answers: str) -> tuple[str, str]:
    """What goes into the last Softmax or Sigmoid and what that is; else the answers themselves."""
    node = made_by(graph, answers)
    if node is not None and node.op_type in ("Softmax", "LogSoftmax", "Sigmoid"):
        return str(node.input[0]), str(node.op_type)
    return answers, ""


def _keep_only(graph: Any, answers: str) -> None:
    """Nodes and weights that the answers need; the graph's output becomes the answers."""
    needed = {answers}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
            for inner in _subgraphs(node):
                needed.update(name for each in inner.node for name in each.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    weights = [each for each in graph.initializer if each.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(weights)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(answers, TensorProto.FLOAT, None))
    graph.ClearField("value_info")
    graph.ClearField("doc_string")
    for node in graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")


def _subgraphs(node: Any) -> list[Any]:
    own = [each.g for each in node.attribute if each.HasField("g")]
    own += [graph for each in node.attribute for graph in each.graphs]
    return own + [deeper for graph in own for inner in graph.node for deeper in _subgraphs(inner)]


def _single_precision(graph: Any) -> None:
    """Half and double precision become single; large half weights stay so, each behind a cast.

    ONNX Runtime computes in single precision on a processor anyway, and rounds in between.
    """
    casts = []
    for each in graph.initializer:
        if each.data_type not in _FLOATS:
            continue
        values = numpy_helper.to_array(each)
        name = each.name
        if each.data_type == TensorProto.FLOAT16 and values.size >= SMALL:
            each.name = name + ".half"
            casts.append(helper.make_node("Cast", [each.name], [name], to=TensorProto.FLOAT))
        else:
            each.CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))
    for value in graph.input:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype") and attribute.i in _FLOATS:
                attribute.i = TensorProto.FLOAT
            if attribute.HasField("t") and attribute.t.data_type in _FLOATS:
                values = numpy_helper.to_array(attribute.t).astype(np.float32)
                attribute.t.CopyFrom(numpy_helper.from_array(values, attribute.t.name))
    for cast in reversed(casts):
        graph.node.insert(0, cast)


def _newer(model: onnx.ModelProto) -> onnx.ModelProto:
    versions = {each.domain: each.version for each in model.opset_import}
    own = versions.get("", versions.get("ai.onnx", 0))
    model.ir_version = max(model.ir_version, 8)
    if own >= OLDEST_OPSET:
        return model
    try:
        newer = converter.convert_version(model, OPSET)
    except (RuntimeError, ValueError, converter.ConvertError) as error:
        said = str(error).strip().splitlines()
        raise ModelRefused(
            f"The model speaks version {own} of ONNX's operators and cannot be brought to {OPSET}: "
            f"{said[-1][:160] if said else 'no reason given'}. Export it anew."
        ) from None
    return newer
