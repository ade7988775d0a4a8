"""Where a network ends in pooling and a linear head: its embedding and its evidence map.

Mean pooling followed by a linear head has an exact map: what each place adds to the logit (class
activation maps, Zhou et al., CVPR 2016). So has a linear head straight over all places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from firstread.importing.graph import PASSING, Graph, made_by

LARGEST_EMBEDDING = 4096
MOST_PRODUCTS = 2_000_000
"""Numbers in between, up to which a map over all places is cheap beside the network."""
_GONE = "the network does not end in pooling and a linear head"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The nodes and weights that make `embedding` and `evidence`, each where it can be had."""

    nodes: tuple[Any, ...] = ()
    weights: tuple[Any, ...] = ()
    embedding: bool = False
    evidence: bool = False
    missing: str = ""
    """Why one of the two, or both, are missing; empty where neither is."""


def find_head(plain: Graph, *, labels: int) -> Head:
    """What can be told of how the graph ends; `labels` is how many answers it gives."""
    node = made_by(plain.graph, plain.answers)
    if node is None:
        return Head(missing=_GONE)
    shapes = plain.shapes()
    linear = _linear(plain, node)
    if linear is not None:
        into, weights = linear
        if weights.shape[0] != labels:
            return Head(missing=_GONE)
        return _after_linear(plain, into, weights, shapes)
    places = _pooled(plain, node)
    if places is not None:
        return _mean_of_maps(plain, places, shapes, labels=labels)
    return Head(missing=_GONE)


def _linear(plain: Graph, node: Any) -> tuple[str, NDArray[Any]] | None:
    """What goes into a linear layer and its weights [K, D]; None where it is none."""
    product = node
    if node.op_type == "Add":  # the bias of a MatMul
        products = [made_by(plain.graph, name, through=()) for name in node.input]
        product = next((each for each in products if each and each.op_type == "MatMul"), None)
    if product is None or product.op_type not in ("Gemm", "MatMul"):
        return None
    said = {each.name: each for each in product.attribute}
    if ("transA" in said and said["transA"].i) or ("alpha" in said and said["alpha"].f != 1.0):
        return None
    weights = plain.weights(product.input[1])
    if weights is None or weights.ndim != 2:
        return None
    rows = weights if "transB" in said and said["transB"].i else weights.T
    return str(product.input[0]), rows


def _pooled(plain: Graph, node: Any) -> tuple[str, bool] | None:
    """The tensor whose mean over places `node` takes, and whether its channels stand last."""
    if node.op_type == "GlobalAveragePool":
        return str(node.input[0]), False
    if node.op_type == "AveragePool":
        kernel = next(
            (list(each.ints) for each in node.attribute if each.name == "kernel_shape"), []
        )
        into, out = (plain.shapes().get(name) for name in (node.input[0], node.output[0]))
        if into and out and out[2:] == (1, 1) and list(into[2:]) == kernel:
            return str(node.input[0]), False
    if node.op_type == "ReduceMean":
        axes = _axes(plain, node)
        if sorted(axes) in ([2, 3], [-2, -1]):
            return str(node.input[0]), False
        if sorted(axes) in ([1, 2], [-3, -2]):
            return str(node.input[0]), True
    return None


def _axes(plain: Graph, node: Any) -> list[int]:
    said = next((list(each.ints) for each in node.attribute if each.name == "axes"), None)
    if said is None and len(node.input) > 1:
        found = plain.weights(node.input[1])
        said = [] if found is None else [int(axis) for axis in found]
    return said or []


def _after_linear(
    plain: Graph, into: str, weights: NDArray[Any], shapes: dict[str, tuple[int | None, ...]]
) -> Head:
    before = made_by(plain.graph, into)
    places = None if before is None else _pooled(plain, before)
    if places is not None:
        return _map_by_convolution(places, weights)
    spread = _flattened(plain, into, shapes)
    if spread is not None:
        return _map_by_places(spread, weights)
    width = weights.shape[1]
    if width > LARGEST_EMBEDDING:
        return Head(missing=_GONE)
    flat = helper.make_node("Flatten", [into], ["embedding"], axis=1)
    return Head(nodes=(flat,), embedding=True, missing="no evidence map: " + _GONE)


def _map_by_convolution(places: tuple[str, bool], weights: NDArray[Any]) -> Head:
    name, nodes = _channels_first(places)
    kernels = weights.astype(np.float32)[:, :, None, None]
    nodes += [
        helper.make_node("GlobalAveragePool", [name], ["head/pooled"]),
        helper.make_node("Flatten", ["head/pooled"], ["embedding"], axis=1),
        helper.make_node("Conv", [name, "head/kernels"], ["evidence"]),
    ]
    weight = numpy_helper.from_array(np.ascontiguousarray(kernels), "head/kernels")
    return Head(nodes=tuple(nodes), weights=(weight,), embedding=True, evidence=True)


def _flattened(
    plain: Graph, into: str, shapes: dict[str, tuple[int | None, ...]]
) -> tuple[str, tuple[int, int, int], bool] | None:
    """The features [N, C, h, w] that were laid flat; and whether channels were last then."""
    node = made_by(plain.graph, into, through=("Identity", "Dropout", "Cast"))
    if node is None or node.op_type not in ("Flatten", "Reshape"):
        return None
    name, last = str(node.input[0]), False
    above = made_by(plain.graph, name, through=[each for each in PASSING if each != "Reshape"])
    if above is not None and above.op_type == "Transpose":
        turned = next((list(each.ints) for each in above.attribute if each.name == "perm"), [])
        if turned != [0, 2, 3, 1]:
            return None
        name, last = str(above.input[0]), True
    shape = shapes.get(name, ())
    sizes = tuple(size for size in shape[1:] if size is not None)
    return (name, (sizes[0], sizes[1], sizes[2]), last) if len(sizes) == 3 else None


def _map_by_places(spread: tuple[str, tuple[int, int, int], bool], weights: NDArray[Any]) -> Head:
    """Every place has weights of its own; the map's mean plus the bias is the logit."""
    name, (channels, height, width), last = spread
    count = weights.shape[0]
    if weights.shape[1] != channels * height * width:
        return Head(missing=_GONE)
    pooled = [
        helper.make_node("GlobalAveragePool", [name], ["head/pooled"]),
        helper.make_node("Flatten", ["head/pooled"], ["embedding"], axis=1),
    ]
    if weights.size > MOST_PRODUCTS:
        missing = "no evidence map: the linear head over all places is too large for one"
        return Head(nodes=tuple(pooled), embedding=True, missing=missing)
    if last:
        by_place = weights.reshape(count, height, width, channels).transpose(0, 3, 1, 2)
    else:
        by_place = weights.reshape(count, channels, height, width)
    scaled = np.ascontiguousarray(by_place[None] * (height * width), dtype=np.float32)
    nodes = [
        *pooled,
        helper.make_node("Unsqueeze", [name, "head/one"], ["head/each"]),
        helper.make_node("Mul", ["head/each", "head/by_place"], ["head/parts"]),
        helper.make_node("ReduceSum", ["head/parts", "head/two"], ["evidence"], keepdims=0),
    ]
    held = (
        numpy_helper.from_array(np.array([1], np.int64), "head/one"),
        numpy_helper.from_array(np.array([2], np.int64), "head/two"),
        numpy_helper.from_array(scaled, "head/by_place"),
    )
    return Head(nodes=tuple(nodes), weights=held, embedding=True, evidence=True)


def _mean_of_maps(
    plain: Graph,
    places: tuple[str, bool],
    shapes: dict[str, tuple[int | None, ...]],
    *,
    labels: int,
) -> Head:
    """The logits are means of maps already, as in SqueezeNet: those are the evidence."""
    name, nodes = _channels_first(places)
    shape = shapes.get(places[0], ())
    if len(shape) != 4 or shape[3 if places[1] else 1] != labels:
        return Head(missing=_GONE)
    nodes.append(helper.make_node("Identity", [name], ["evidence"]))
    last = made_by(plain.graph, places[0], through=("Relu", "Identity", "Dropout", "Cast"))
    kernels = None
    if last is not None and last.op_type == "Conv" and not places[1]:
        kernels = plain.weights(last.input[1])
    if last is None or kernels is None or kernels.shape[2:] != (1, 1):
        missing = "no familiarity: nothing stands before the maps that could be an embedding"
        return Head(nodes=tuple(nodes), evidence=True, missing=missing)
    nodes += [
        helper.make_node("GlobalAveragePool", [last.input[0]], ["head/pooled"]),
        helper.make_node("Flatten", ["head/pooled"], ["embedding"], axis=1),
    ]
    return Head(nodes=tuple(nodes), embedding=True, evidence=True)


def _channels_first(places: tuple[str, bool]) -> tuple[str, list[Any]]:
    name, last = places
    if not last:
        return name, []
    return "head/places", [
        helper.make_node("Transpose", [name], ["head/places"], perm=[0, 3, 1, 2])
    ]
