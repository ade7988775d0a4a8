"""A trained network of pictures becomes `model.onnx`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from firstread.train.image.networks import Axes, Network, Reader, StandardisedConv
from firstread.train.pack.export import refuse_difference, rounded, write_onnx


def to_reader(network: Network, *, head: str, flips: Sequence[Axes] = ((),)) -> nn.Module:
    """The network with its weights standardised once and for all, and rounded to what the file will
    hold."""
    reader = Reader(copy.deepcopy(network), head=head, flips=flips).eval()
    for module in list(reader.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, StandardisedConv):
                setattr(module, name, _plain(child))
    return rounded(reader)


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
    write_onnx(reader, example, path, given="image", outputs=("logits", "embedding", "evidence"))
    noise = np.random.default_rng(0).integers(0, 256, (3, height_px, width_px, 3), np.uint8)
    return refuse_difference(reader, path, np.concatenate([noise, pictures]), kind="image")
