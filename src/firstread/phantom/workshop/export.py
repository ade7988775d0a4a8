"""The trained refiner becomes the ONNX file that ships, its weights kept in half precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from firstread.phantom.workshop.networks import Refiner

OPSET = 18
_SMALL = 256  # values; smaller tensors are not worth a cast


class Shipped(nn.Module):
    """The refiner from uint8 drawing [N, S, S, 3] to uint8 picture [N, S, S, 3]."""

    def __init__(self, refiner: Refiner) -> None:
        super().__init__()
        self.refiner = refiner

    def forward(self, drawing: Tensor, grain: Tensor, label: Tensor) -> Tensor:
        pixels = drawing.permute(0, 3, 1, 2).float() / 127.5 - 1
        refined = (self.refiner(pixels, grain, label) + 1) * 127.5
        picture: Tensor = refined.round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
        return picture


def export(refiner: Refiner, path: Path, *, size_px: int, labels: int) -> None:
    """Write the refiner as one ONNX file for pictures of `size_px`."""
    example = (
        torch.zeros(1, size_px, size_px, 3, dtype=torch.uint8),
        torch.zeros(1, 4, size_px // 2, size_px // 2),
        torch.zeros(1, labels),
    )
    program = torch.onnx.export(
        Shipped(refiner).eval(),
        example,
        input_names=["drawing", "grain", "label"],
        output_names=["picture"],
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto  # type: ignore[union-attr]  # dynamo=True gives a program
    _halve(model)
    model.doc_string = ""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _halve(model: onnx.ModelProto) -> None:
    """Keep large weights as float16 and cast them when the model is opened."""
    graph = model.graph
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _SMALL:
            continue
        name = weight.name
        half = numpy_helper.from_array(values.astype(np.float16), name=f"{name}_half")
        weight.CopyFrom(half)
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    for node in graph.node:
        del node.metadata_props[:]
