"""A trained network becomes `model.onnx`: plain operators, weights in half precision, answers
compared."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from firstread.domain.errors import PackRefused
from firstread.runtime.session import Session

OPSET = 18
# Largest difference between torch and ONNX Runtime that a pack may leave the training room with.
TOLERANCE = 1e-4
# Arrays smaller than this stay in single precision: biases and gains are few, and they matter most.
SMALL = 1024


def rounded(model: nn.Module) -> nn.Module:
    """The same model, its weights rounded in place to what the file will hold."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() >= SMALL:
                parameter.copy_(parameter.half().float())
    return model


def write_onnx(
    model: nn.Module, example: torch.Tensor, path: Path, *, given: str, outputs: tuple[str, ...]
) -> None:
    """Write the model with the names of its input and outputs, and a first axis of any length."""
    with warnings.catch_warnings():
        # The exporter warns of its own parts' futures; nobody who trains can act on that.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            model.eval(),
            (example,),
            input_names=[given],
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("N", min=1, max=4096)},),
            verbose=False,
        )
    if program is None:
        raise PackRefused("torch could not export the network. Use the versions that are locked.")
    proto = program.model_proto
    _halve(proto)
    # The exporter notes its source lines, which name folders of this machine.
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in [*proto.graph.input, *proto.graph.output, *proto.graph.value_info]:
        value.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")
    proto.ClearField("metadata_props")
    onnx.checker.check_model(proto)
    path.write_bytes(proto.SerializeToString(deterministic=True))


def _halve(proto: onnx.ModelProto) -> None:
    """Large weights in half precision, each behind a cast that the runtime folds away when it
    opens."""
    casts = []
    for initializer in proto.graph.initializer:
        size = int(np.prod(initializer.dims)) if initializer.dims else 1
        if initializer.data_type != TensorProto.FLOAT or size < SMALL:
            continue
        name = initializer.name
        halved = numpy_helper.to_array(initializer).astype(np.float16)
        initializer.CopyFrom(numpy_helper.from_array(halved, name + ".half"))
        casts.append(helper.make_node("Cast", [name + ".half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        proto.graph.node.insert(0, cast)


def refuse_difference(
    model: nn.Module, path: Path, samples: NDArray[np.generic], *, kind: str
) -> float:
    """How far apart the logits of torch and ONNX Runtime are, at most; raises PackRefused where
    that is more than `TOLERANCE`."""
    with torch.inference_mode():
        expected = model(torch.from_numpy(samples))[0].numpy()
    found = Session(path, kind=kind).run(samples)["logits"]
    apart = float(np.abs(expected - found).max())
    if not apart <= TOLERANCE:
        raise PackRefused(
            f"The exported network answers {apart:.2g} away from the trained one. Train it again "
            "with other versions of torch and onnx."
        )
    return apart
