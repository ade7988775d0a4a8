"""A trained network becomes `model.onnx`: plain operators, weights in half precision, answers
compared."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from firstread.domain.errors import PackRefused
from firstread.runtime.session import Session
from firstread.train.allds2020 import AllNetwork, AllReader
from firstread.train.networks import Axes, Network, Reader, StandardisedConv

OPSET = 18
# Largest difference between torch and ONNX Runtime that a pack may leave the training room with.
TOLERANCE = 1e-4
# Arrays smaller than this stay in single precision: biases and gains are few, and they matter most.
SMALL = 1024


def to_reader(
    network: Network | AllNetwork, *, head: str, flips: Sequence[Axes] = ((),)
) -> nn.Module:
    """The network with its weights standardised once and for all, and rounded to what the file will
    hold."""
    reader = _reader(copy.deepcopy(network), head=head, flips=flips).eval()
    for module in list(reader.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, StandardisedConv):
                setattr(module, name, _plain(child))
    with torch.no_grad():
        for parameter in reader.parameters():
            if parameter.numel() >= SMALL:
                parameter.copy_(parameter.half().float())
    return reader


def _reader(network: Network | AllNetwork, *, head: str, flips: Sequence[Axes]) -> nn.Module:
    if isinstance(network, AllNetwork):
        return AllReader(network)
    return Reader(network, head=head, flips=flips)


def _plain(conv: StandardisedConv) -> nn.Conv2d:
    side, stride = conv.kernel_size[0], conv.stride[0]
    plain = nn.Conv2d(conv.in_channels, conv.out_channels, side, stride, side // 2)
    weights = {"weight": conv.standardised(), "bias": conv.state_dict()["bias"]}
    plain.load_state_dict(weights)
    return plain


def export_image(
    reader: nn.Module, path: Path, *, height_px: int, width_px: int, pictures: NDArray[np.uint8]
) -> float:
    """Write the reader with the names and dynamic first axis that a pack of kind image has; how far
    its logits are from torch's, at most.

    Compared on `pictures` of the pack's own kind, uint8 [N, H, W, 3], and on plain noise. Raises
    PackRefused where they are more than `TOLERANCE` apart.
    """
    example = torch.zeros(2, height_px, width_px, 3, dtype=torch.uint8)
    _export(reader, example, path, given="image", outputs=("logits", "embedding", "evidence"))
    noise = np.random.default_rng(0).integers(0, 256, (3, height_px, width_px, 3), np.uint8)
    return refuse_difference(reader, path, np.concatenate([noise, pictures]), kind="image")


def export_measurements(model: nn.Module, path: Path, *, count: int) -> None:
    """Write an additive model with the names and dynamic first axis that such a pack has."""
    _export(
        model, torch.ones(2, count), path, given="measurements", outputs=("logits", "contributions")
    )
    rows = np.random.default_rng(0).uniform(1, 10, (3, count)).astype(np.float32)
    rows[0, 0] = np.nan
    refuse_difference(model, path, rows, kind="measurements")


def export_recording(model: nn.Module, path: Path, *, beats: NDArray[np.float32]) -> float:
    """Write a network of beats with the names that a pack of kind recording has; how far its
    logits are from torch's on `beats`, float32 [N, C, T], at most."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() >= SMALL:
                parameter.copy_(parameter.half().float())
    example = torch.from_numpy(beats[:2])
    _export(model, example, path, given="signal", outputs=("logits", "embedding", "evidence"))
    return refuse_difference(model, path, beats, kind="recording")


def _export(
    model: nn.Module, example: torch.Tensor, path: Path, *, given: str, outputs: tuple[str, ...]
) -> None:
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
