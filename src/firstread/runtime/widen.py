"""Convolutions get channels in fours where ONNX Runtime then runs them by its fastest kernels."""

from __future__ import annotations

import math
import platform
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FOURS, _BLOCK = 4, 16
_KEEP_CHANNELS_APART = frozenset({b"Relu", b"LeakyRelu", b"MaxPool", b"AveragePool"})
_ELEMENTS: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 10: np.dtype("<f2")}
"""TensorProto's FLOAT and FLOAT16."""


def widened(network: bytes) -> bytes:
    """The same network with channels of zeros where they make it faster; else `network` itself.

    ONNX Runtime's kernels for x86-64 work on blocks of 16 channels, and leave a convolution out
    whose input channels are no multiple of 4: of AllDS2020's two convolutions of 30 the second
    takes 6 ms instead of 3. Here the convolution before it gets two more channels whose weights
    are zero, and the one after it weights of zero for them, so every answer stays what it was.
    It is done in memory, when a network is opened: the pack stays as it is. Measured in
    docs/decisions/0011. Never raises; bytes that are no network come back as they are.

    >>> widened(b"no network") == b"no network"
    True
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return network
    from google.protobuf.message import DecodeError

    model = _model_class()()
    try:
        model.ParseFromString(network)
    except DecodeError:
        return network
    graph = _Graph(model.graph)
    pairs = [pair for node in model.graph.node if (pair := graph.pair_before(node)) is not None]
    if not pairs:
        return network
    for pair in pairs:
        pair.widen()
    del model.graph.value_info[:]  # notes of shapes, some of which have changed
    return bytes(model.SerializeToString())


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """Two convolutions, one after the other, whose channels between them are counted badly."""

    kernels_before: Any
    bias_before: Any | None
    kernels_after: Any

    def widen(self) -> None:
        count = int(self.kernels_before.dims[0])
        more = -count % _FOURS
        _pad(self.kernels_before, axis=0, more=more)
        if self.bias_before is not None:
            _pad(self.bias_before, axis=0, more=more)
        _pad(self.kernels_after, axis=1, more=more)


class _Graph:
    """Who makes each value of a network, and how many use it."""

    def __init__(self, graph: Any) -> None:
        self._maker = {name: node for node in graph.node for name in node.output if name}
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._uses = Counter(name for node in graph.node for name in node.input)
        # What is handed in or out is not ours to change.
        self._uses.update(value.name for value in (*graph.input, *graph.output))
        # A part of a loop or a branch may use any value without naming it among its inputs.
        self._plain = not any(each.g or each.graphs for n in graph.node for each in n.attribute)

    def pair_before(self, node: Any) -> _Pair | None:
        """The convolution `node` with the one before it, where widening them is worth it."""
        if not self._plain or not _is_plain_convolution(node):
            return None
        before = self._maker.get(node.input[0])
        value = node.input[0]
        while before is not None and before.op_type in _KEEP_CHANNELS_APART:
            if self._uses[value] != 1 or len(before.output) != 1 or not before.input:
                return None
            value = before.input[0]
            before = self._maker.get(value)
        if before is None or not _is_plain_convolution(before) or self._uses[value] != 1:
            return None
        kernels, after = self._own(before.input[1]), self._own(node.input[1])
        has_bias = len(before.input) > 2 and before.input[2] != b""
        bias = self._own(before.input[2]) if has_bias else None
        if kernels is None or after is None or (has_bias and bias is None):
            return None
        fits = len(kernels.dims) == len(after.dims) > 2 and kernels.dims[0] == after.dims[1]
        if not fits or not _is_worth_it(int(kernels.dims[0])):
            return None
        return _Pair(kernels_before=kernels, bias_before=bias, kernels_after=after)

    def _own(self, name: bytes) -> Any | None:
        """The weights of that name, straight or behind a cast, where nobody else uses them."""
        if self._uses[name] != 1:
            return None
        maker = self._maker.get(name)
        if maker is not None and maker.op_type == b"Cast" and maker.input:
            name = maker.input[0]
        tensor = self._weights.get(name)
        if tensor is None or self._uses[name] != 1 or not _can_be_padded(tensor):
            return None
        return tensor


def _is_worth_it(channels: int) -> bool:
    """Whether the last block of channels is filled well enough to win more than zeros cost."""
    return channels > _BLOCK and channels % _FOURS != 0 and channels % _BLOCK > _BLOCK // 2


def _is_plain_convolution(node: Any) -> bool:
    if node.op_type != b"Conv" or node.domain not in (b"", b"ai.onnx") or len(node.input) < 2:
        return False
    return all(each.i == 1 for each in node.attribute if each.name == b"group")


def _can_be_padded(tensor: Any) -> bool:
    element = _ELEMENTS.get(tensor.data_type)
    if element is None or tensor.external_data or tensor.data_location:
        return False
    if any(size < 1 for size in tensor.dims):
        return False
    count = math.prod(tensor.dims)
    if tensor.raw_data:
        return bool(len(tensor.raw_data) == count * element.itemsize)
    return bool(element == np.float32 and len(tensor.float_data) == count)


def _pad(tensor: Any, *, axis: int, more: int) -> None:
    dims = list(tensor.dims)
    values: NDArray[Any]
    if tensor.raw_data:
        element = _ELEMENTS[int(tensor.data_type)]
        values = np.frombuffer(bytes(tensor.raw_data), dtype=element).reshape(dims)
    else:
        values = np.array(tensor.float_data, dtype="<f4").reshape(dims)
    margins = [(0, more if each == axis else 0) for each in range(len(dims))]
    padded = np.pad(values, margins)
    tensor.dims[:] = padded.shape
    del tensor.float_data[:]
    tensor.raw_data = padded.tobytes()


# The part of ONNX's form that is looked at: fields by number, from its onnx.proto. What is not
# named here is carried along unread; names stay bytes, whatever they hold. The package `onnx` reads
# all of it, for 31 MB more on a machine that only reads samples; protobuf comes with ONNX Runtime.
_FORM: dict[str, dict[str, tuple[int, str]]] = {
    "Attribute": {"name": (1, "data"), "i": (3, "int"), "g": (6, "data"), "graphs": (11, "datas")},
    "Node": {
        "input": (1, "datas"), "output": (2, "datas"), "op_type": (4, "data"),
        "attribute": (5, "Attribute"), "domain": (7, "data"),
    },
    "Tensor": {
        "dims": (1, "ints"), "data_type": (2, "int"), "float_data": (4, "floats"),
        "name": (8, "data"), "raw_data": (9, "data"), "external_data": (13, "datas"),
        "data_location": (14, "int"),
    },
    "Value": {"name": (1, "data")},
    "Graph": {
        "node": (1, "Node"), "initializer": (5, "Tensor"), "input": (11, "Value"),
        "output": (12, "Value"), "value_info": (13, "Value"),
    },
    "Model": {"graph": (7, "one Graph")},
}  # fmt: skip


@cache
def _model_class() -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    kinds = {"int": field.TYPE_INT64, "float": field.TYPE_FLOAT, "data": field.TYPE_BYTES}
    file = descriptor_pb2.FileDescriptorProto(name="firstread.proto", package="firstread")
    for name, fields in _FORM.items():
        message = file.message_type.add(name=name)
        for key, (number, said) in fields.items():
            kind = kinds.get(said) or kinds.get(said.removesuffix("s"))
            one = said in kinds or said.startswith("one ")
            message.field.add(
                name=key,
                number=number,
                type=kind or field.TYPE_MESSAGE,
                type_name=None if kind else f".firstread.{said.removeprefix('one ')}",
                label=field.LABEL_OPTIONAL if one else field.LABEL_REPEATED,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("firstread.Model"))
