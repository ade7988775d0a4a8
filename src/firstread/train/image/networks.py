"""The residual network that reads single cells: a trunk, a pooled linear head, and the map it sees
by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from torch import Tensor, nn

from firstread.domain.errors import BadConfiguration
from firstread.train.image.lite import LiteTrunk, load_weights

if TYPE_CHECKING:
    from firstread.train.recipe import NetworkShape, Recipe

Axes = tuple[int, ...]

# Any fixed numbers near the pixels' mean and spread do; they live in the graph, so nothing else
# knows them.
PIXEL_MEAN = 170.0
PIXEL_SPREAD = 60.0
# After a ReLU the spread of a standard normal shrinks to 1 / 1.71; the next convolution restores
# it.
RELU_GAIN = 1.71
# A block starts as little more than its shortcut.
BLOCK_GAIN = 0.34


class StandardisedConv(nn.Conv2d):
    """A convolution whose weights have mean 0 and spread 1 per output channel.

    Weight standardisation (Qiao et al., arXiv:1903.10520), scaled as in Brock et al.
    (arXiv:2101.08692): it steadies training without any statistic of the batch, which would tie the
    network to one laboratory.
    """

    def __init__(
        self,
        width_in: int,
        width_out: int,
        kernel: int,
        *,
        stride: int = 1,
        gain: float = RELU_GAIN,
    ) -> None:
        super().__init__(width_in, width_out, kernel, stride, kernel // 2, bias=True)
        self.gain = nn.Parameter(torch.full((width_out, 1, 1, 1), gain))

    def standardised(self) -> Tensor:
        spread, mean = torch.var_mean(self.weight, dim=(1, 2, 3), keepdim=True, unbiased=False)
        fan_in = self.weight[0].numel()
        scale = torch.rsqrt(torch.clamp(spread * fan_in, min=1e-4)) * self.gain
        return (self.weight - mean) * scale

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.standardised(), self.bias, self.stride, self.padding)


def _norm(width: int, kind: str) -> nn.Module:
    if kind == "group":
        return nn.GroupNorm(max(1, width // 16), width)
    return nn.Identity()


class Attention(nn.Module):
    """Squeeze and excitation: the whole picture weighs the channels (Hu et al.,
    arXiv:1709.01507)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(width, max(8, width // 8), 1)
        self.excite = nn.Conv2d(max(8, width // 8), width, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True))))
        return x * (2.0 * torch.sigmoid(weight))


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, activated beforehand (He et al.,
    arXiv:1603.05027)."""

    def __init__(
        self, width_in: int, width_out: int, *, stride: int, norm: str, attend: bool
    ) -> None:
        super().__init__()
        self.stride = stride
        sparse = norm == "sparse"
        self.before = _norm(width_in, "group" if sparse and attend else norm)
        self.first = StandardisedConv(width_in, width_out, 3, stride=stride)
        self.between = _norm(width_out, norm)
        self.second = StandardisedConv(width_out, width_out, 3, gain=BLOCK_GAIN)
        self.attention = Attention(width_out) if attend else nn.Identity()
        changes = stride > 1 or width_in != width_out
        self.shortcut = StandardisedConv(width_in, width_out, 1) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.before(x))
        inner = self.attention(self.second(F.relu(self.between(self.first(active)))))
        if self.shortcut is None:
            return torch.add(x, inner)
        pooled = F.avg_pool2d(active, 2) if self.stride > 1 else active
        return torch.add(self.shortcut(pooled), inner)


class Trunk(nn.Module):
    """Pixels become features: uint8 [N, H, W, 3] to float [N, D, H/16, W/16]."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.stem = StandardisedConv(3, shape.stem, 3, stride=2, gain=1.0)
        blocks: list[nn.Module] = []
        width = shape.stem
        for stage, (out, depth) in enumerate(zip(shape.widths, shape.depths, strict=True)):
            for index in range(depth):
                stride = 2 if index == 0 else 1
                attend = stage > 0
                blocks.append(Block(width, out, stride=stride, norm=shape.norm, attend=attend))
                width = out
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.GroupNorm(max(1, width // 16), width)
        self.width = width

    def forward(self, image: Tensor) -> Tensor:
        x = (image.permute(0, 3, 1, 2).float() - PIXEL_MEAN) / PIXEL_SPREAD
        x = x.contiguous(memory_format=torch.channels_last) if self.training else x
        return F.relu(self.last(self.blocks(self.stem(x))))


class Network(nn.Module):
    """A trunk with one linear head per set of labels, each over the features' mean."""

    def __init__(self, shape: NetworkShape, *, heads: Mapping[str, int]) -> None:
        super().__init__()
        self.trunk = LiteTrunk(shape) if shape.family == "lite" else Trunk(shape)
        self.dropout = nn.Dropout(shape.dropout)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(self.trunk.width, count) for name, count in heads.items()}
        )

    def head(self, name: str) -> nn.Linear:
        """The linear head of one set of labels."""
        linear: nn.Linear = self.heads[name]  # type: ignore[assignment]  # ModuleDict gives Module
        return linear

    def forward(self, image: Tensor, head: str) -> Tensor:
        pooled = self.trunk(image).float().mean((2, 3))
        logits: Tensor = self.heads[head](self.dropout(pooled))
        return logits


class Reader(nn.Module):
    """What a pack holds: `image` uint8 [N, H, W, 3] to `logits`, `embedding` and `evidence`.

    It looks at the picture once for each of `flips`, the axes of [N, H, W, 3] to turn about, and
    takes the mean. The evidence map is the class activation map (Zhou et al., arXiv:1512.04150):
    because the head is linear over a mean, the mean of the map plus the head's bias is the logit
    itself.
    """

    def __init__(self, network: Network, *, head: str, flips: Sequence[Axes] = ((),)) -> None:
        super().__init__()
        self.trunk = network.trunk
        self.linear = network.head(head)
        self.flips = tuple(flips)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self._features(image)
        embedding = features.mean((2, 3))
        evidence = F.conv2d(features, self.linear.weight[:, :, None, None])
        return self.linear(embedding), embedding, evidence

    def _features(self, image: Tensor) -> Tensor:
        first, *others = (self._look(image, axes) for axes in self.flips)
        return sum(others, first) / len(self.flips)

    def _look(self, image: Tensor, axes: Axes) -> Tensor:
        features: Tensor = self.trunk(torch.flip(image, list(axes)) if axes else image)
        return torch.flip(features, [axis + 1 for axis in axes]) if axes else features


def build(recipe: Recipe) -> Network:
    """The network of a recipe as its training begins; load weights with `load_state_dict`."""
    if recipe.network is None:
        raise BadConfiguration(f"The recipe {recipe.name} has no [network]. Add that table.")
    heads = {source.name: len(source.labels) for source in recipe.sources}
    network = Network(recipe.network, heads=heads)
    if isinstance(network.trunk, LiteTrunk):
        load_weights(network.trunk)
    return network
