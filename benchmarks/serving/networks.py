"""The two networks that are measured beside our own pack: AllDS2020's, and ResNet-18.

Their weights are random: the time of a read does not depend on them. Normalisation stands in the
graph, so every server gives the same file the same pixels, uint8 [N, H, W, 3].
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
IR_VERSION = 9


def allds2020_weights() -> dict[str, NDArray[np.float32]]:
    """AllDS2020's layers in Keras' order: kernels [h, w, in, out], dense [in, out].

    Zero padding 2, convolution of 30 times 5x5 with ReLU, twice; max pool 2; flatten; dense 2.
    """
    rng = np.random.default_rng(2020)

    def he(*shape: int) -> NDArray[np.float32]:
        spread = np.sqrt(2 / np.prod(shape[:-1]))
        return rng.normal(0, spread, size=shape).astype(np.float32)

    return {
        "conv1": he(5, 5, 3, 30),
        "bias1": np.zeros(30, dtype=np.float32),
        "conv2": he(5, 5, 30, 30),
        "bias2": np.zeros(30, dtype=np.float32),
        "dense": he(50 * 50 * 30, 2),
        "bias3": np.zeros(2, dtype=np.float32),
    }


def write_allds2020_weights(path: Path) -> None:
    """The same weights for a Keras model of the same layers."""
    np.savez(path, **allds2020_weights())


def write_allds2020(path: Path) -> None:
    """AllDS2020's network as ONNX: `image` uint8 [N, 100, 100, 3] to `logits` [N, 2]."""
    given = allds2020_weights()
    dense = given["dense"].reshape(50, 50, 30, 2).transpose(2, 0, 1, 3).reshape(-1, 2)
    constants = {
        "levels": np.array(1 / 255, dtype=np.float32),
        "conv1": given["conv1"].transpose(3, 2, 0, 1),
        "bias1": given["bias1"],
        "conv2": given["conv2"].transpose(3, 2, 0, 1),
        "bias2": given["bias2"],
        "dense": dense,
        "bias3": given["bias3"],
    }
    pads = {"kernel_shape": [5, 5], "pads": [2, 2, 2, 2]}
    node = helper.make_node
    nodes = [
        node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        node("Mul", ["float", "levels"], ["unit"]),
        node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        node("Conv", ["planes", "conv1", "bias1"], ["c1"], **pads),
        node("Relu", ["c1"], ["r1"]),
        node("Conv", ["r1", "conv2", "bias2"], ["c2"], **pads),
        node("Relu", ["c2"], ["r2"]),
        node("MaxPool", ["r2"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["pooled"], ["flat"], axis=1),
        node("Gemm", ["flat", "dense", "bias3"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "allds2020",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 100, 100, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
        initializer=[
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in constants.items()
        ],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_bare(path: Path, *, of: Path) -> None:
    """The network in `of` with its logits alone: no evidence, no embedding."""
    model = onnx.load(str(of))
    kept = [output for output in model.graph.output if output.name == "logits"]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    onnx.save(model, str(path))


def write_resnet18(path: Path, *, labels: int) -> None:
    """ResNet-18 (He et al., arXiv:1512.03385, table 1) as ONNX: `image` uint8 [N, 224, 224, 3] to
    `logits` [N, labels], with the usual mean and spread of the colours inside."""
    import torch

    from benchmarks.serving.resnet import ResNet18

    torch.manual_seed(18)
    model = ResNet18(labels=labels).eval()
    example = torch.zeros((2, 224, 224, 3), dtype=torch.uint8)
    torch.onnx.export(
        model,
        (example,),
        str(path),
        input_names=["image"],
        output_names=["logits"],
        opset_version=OPSET,
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("N", min=1, max=64)},),
        external_data=False,
        verbose=False,
    )
