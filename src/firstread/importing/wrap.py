"""A plain foreign graph becomes a pack's network: `image` in, `logits` and what else there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from firstread.domain.errors import BadConfiguration
from firstread.importing.graph import IR_VERSION, Graph, checked
from firstread.importing.head import Head, find_head
from firstread.importing.plan import Pixels
from firstread.packs import Input

TINY = 1e-12
"""The least probability whose logarithm is taken."""

_CHANNELS = {"rgb": [0, 1, 2], "bgr": [2, 1, 0], "grey": [0]}


@dataclass(frozen=True, kw_only=True)
class Wrapped:
    """The network as a pack holds it."""

    data: bytes
    embedding: bool
    evidence: bool
    missing: str
    """Why there is no embedding or no evidence map; empty where there are both."""


def layout_of(plain: Graph, pixels: Pixels) -> str:
    """How the axes of the graph's input stand; raises BadConfiguration where nobody can tell."""
    if pixels.layout is not None:
        return pixels.layout
    shape = plain.given_shape
    first, last = shape[1] == pixels.channels, shape[3] == pixels.channels
    if first == last:
        shown = " x ".join("?" if size is None else str(size) for size in shape)
        raise BadConfiguration(
            f"The model's input is {shown}, which does not say where its {pixels.channels} "
            "channels stand. Say --layout nchw or nhwc, and --order grey where it takes one."
        )
    return "nchw" if first else "nhwc"


def size_of(plain: Graph, layout: str) -> tuple[int, int] | None:
    """Width and height in pixels, where the graph's input is fixed."""
    height, width = plain.given_shape[2:] if layout == "nchw" else plain.given_shape[1:3]
    return None if width is None or height is None else (width, height)


def refuse_other_size(plain: Graph, given: Input, *, layout: str) -> None:
    """Raises BadConfiguration where the graph cannot take pictures of the size asked for."""
    own = size_of(plain, layout)
    if own is not None and own != (given.width_px, given.height_px):
        raise BadConfiguration(
            f"The model takes pictures of {own[0]} x {own[1]} pixels, not {given.width_px} x "
            f"{given.height_px}. Leave --size out, or correct the recipe."
        )


def wrap(
    plain: Graph, *, given: Input, pixels: Pixels, layout: str, labels: int, are: str
) -> Wrapped:
    """The network of a pack: `image` uint8 [N, H, W, 3] to `logits` [N, K], `labels` of them.

    `are` says what the graph's answers are: "logits", "probabilities" (their logarithm is taken),
    or "chance": one number, the log odds of the second of two labels. Raises ModelRefused where
    that does not make a network.
    """
    # With the input's size the sizes inside follow, which the evidence map needs.
    _fix_size(plain, given, layout=layout, channels=pixels.channels)
    head = Head(missing="one answer for two labels has neither embedding nor map")
    if are != "chance":
        head = find_head(plain, labels=labels)
    before, weights = _prepared(plain, pixels, layout=layout)
    after, more = _logits(plain.answers, are=are)
    nodes = [*before, *plain.graph.node, *after, *head.nodes]
    outputs: dict[str, list[int | str | None]] = {"logits": ["N", labels]}
    if head.embedding:
        outputs["embedding"] = ["N", None]
    if head.evidence:
        outputs["evidence"] = ["N", labels, None, None]
    graph = helper.make_graph(
        nodes,
        "pack",
        [
            helper.make_tensor_value_info(
                "image", TensorProto.UINT8, ["N", given.height_px, given.width_px, 3]
            )
        ],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in outputs.items()],
        initializer=[*plain.graph.initializer, *weights, *more, *head.weights],
    )
    model = helper.make_model(
        graph,
        opset_imports=list(plain.model.opset_import),
        ir_version=max(IR_VERSION, plain.model.ir_version),
    )
    return Wrapped(
        data=checked(
            model,
            what="No pack's network can be made of this model",
            remedy="Export it anew, with standard operators.",
        ),
        embedding=head.embedding,
        evidence=head.evidence,
        missing=head.missing,
    )


def _fix_size(plain: Graph, given: Input, *, layout: str, channels: int) -> None:
    sizes: list[int | str] = ["N", given.height_px, given.width_px]
    sizes.insert(1 if layout == "nchw" else 3, channels)
    plain.graph.input[0].CopyFrom(
        helper.make_tensor_value_info(plain.given, TensorProto.FLOAT, sizes)
    )


def _prepared(plain: Graph, pixels: Pixels, *, layout: str) -> tuple[list[Any], list[Any]]:
    """From `image` to what the graph takes: (pixel * scale - mean) / std, in its order of axes."""
    spread = np.asarray(pixels.std, np.float64)
    planes = layout == "nchw"
    across = (-1, 1, 1) if planes else (-1,)
    factor = (pixels.scale / spread).astype(np.float32).reshape(across)
    less = (np.asarray(pixels.mean, np.float64) / spread).astype(np.float32).reshape(across)
    # Whole planes of bytes are moved first: a quarter of the work that moving floats would be.
    steps: list[tuple[str, str, np.ndarray[Any, Any] | None, dict[str, Any]]] = []
    if planes:
        steps.append(("Transpose", "planes", None, {"perm": [0, 3, 1, 2]}))
    if pixels.order != "rgb":
        order = np.array(_CHANNELS[pixels.order], np.int64)
        steps.append(("Gather", "order", order, {"axis": 1 if planes else 3}))
    steps.append(("Cast", "float", None, {"to": TensorProto.FLOAT}))
    if (factor != 1).any():
        steps.append(("Mul", "factor", factor, {}))
    if (less != 0).any():
        steps.append(("Sub", "less", less, {}))
    nodes, weights = [], []
    name = "image"
    for number, (kind, what, value, said) in enumerate(steps, start=1):
        inputs = [name]
        if value is not None:
            weights.append(numpy_helper.from_array(value, f"prepare/{what}"))
            inputs.append(f"prepare/{what}")
        name = plain.given if number == len(steps) else f"prepare/{what}/done"
        nodes.append(helper.make_node(kind, inputs, [name], **said))
    return nodes, weights


def _logits(answers: str, *, are: str) -> tuple[list[Any], list[Any]]:
    rows = numpy_helper.from_array(np.array([0, -1], np.int64), "answer/rows")
    flat = helper.make_node("Reshape", [answers, "answer/rows"], ["answer/flat"])
    if are == "logits":
        flat.output[0] = "logits"
        return [flat], [rows]
    if are == "probabilities":
        tiny = numpy_helper.from_array(np.array(TINY, np.float32), "answer/tiny")
        return [
            flat,
            helper.make_node("Max", ["answer/flat", "answer/tiny"], ["answer/some"]),
            helper.make_node("Log", ["answer/some"], ["logits"]),
        ], [rows, tiny]
    # Log odds z of the second label: softmax of (-z / 2, z / 2) is (1 - sigmoid(z), sigmoid(z)).
    halves = numpy_helper.from_array(np.array([[-0.5, 0.5]], np.float32), "answer/halves")
    return [flat, helper.make_node("Mul", ["answer/flat", "answer/halves"], ["logits"])], [
        rows,
        halves,
    ]
