"""The refiner of drawn phantoms, and the critic that it learns against."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  # the name everybody knows
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Styled(nn.Module):
    """A residual block whose middle is scaled and shifted by the label."""

    def __init__(self, width: int, labels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.style = nn.Linear(labels, 2 * width)
        nn.init.zeros_(self.style.weight)
        nn.init.zeros_(self.style.bias)
        nn.init.normal_(self.second.weight, std=0.01)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        scale, shift = self.style(label)[:, :, None, None].chunk(2, dim=1)
        inner = F.leaky_relu(self.first(F.leaky_relu(x, 0.2)) * (1 + scale) + shift, 0.2)
        changed: Tensor = x + self.second(inner)
        return changed


class Refiner(nn.Module):
    """Drawing [N, 3, S, S] in -1..1, grain [N, 4, S/2, S/2] and label [N, K] to a picture."""

    def __init__(self, labels: int, *, width: int = 32) -> None:
        super().__init__()
        wide, widest = 2 * width, 3 * width
        self.enter = nn.Conv2d(12 + 4, width, 3, padding=1)
        self.high = nn.ModuleList([Styled(width, labels) for _ in range(2)])
        self.down = nn.Conv2d(width, wide, 4, stride=2, padding=1)
        self.middle = nn.ModuleList([Styled(wide, labels) for _ in range(2)])
        self.deeper = nn.Conv2d(wide, widest, 4, stride=2, padding=1)
        self.low = nn.ModuleList([Styled(widest, labels) for _ in range(2)])
        self.rise = nn.Conv2d(widest, wide, 3, padding=1)
        self.middle_up = nn.ModuleList([Styled(wide, labels) for _ in range(1)])
        self.up = nn.Conv2d(wide, width, 3, padding=1)
        self.high_up = nn.ModuleList([Styled(width, labels) for _ in range(2)])
        self.leave = nn.Conv2d(width, 12, 3, padding=1)
        nn.init.normal_(self.leave.weight, std=0.01)

    def forward(self, drawing: Tensor, grain: Tensor, label: Tensor) -> Tensor:
        x = F.leaky_relu(self.enter(torch.cat([F.pixel_unshuffle(drawing, 2), grain], 1)), 0.2)
        for block in self.high:
            x = block(x, label)
        high = x
        x = self.down(x)
        for block in self.middle:
            x = block(x, label)
        middle = x
        x = self.deeper(x)
        for block in self.low:
            x = block(x, label)
        x = middle + F.interpolate(self.rise(x), scale_factor=2.0)
        for block in self.middle_up:
            x = block(x, label)
        x = high + F.interpolate(self.up(x), scale_factor=2.0)
        for block in self.high_up:
            x = block(x, label)
        # Averaged over neighbours, because shuffled pixels easily leave a chequered grid.
        change = F.pixel_shuffle(self.leave(F.leaky_relu(x, 0.2)), 2)
        change = F.avg_pool2d(F.pad(change, (0, 1, 0, 1), mode="replicate"), 2, stride=1)
        change = F.avg_pool2d(F.pad(change, (1, 0, 1, 0), mode="replicate"), 2, stride=1)
        return torch.tanh(torch.atanh(drawing.clamp(-0.985, 0.985)) + change)


class Critic(nn.Module):
    """Says of each patch, and of the whole picture, whether it looks real for its label."""

    def __init__(self, labels: int, *, width: int = 32) -> None:
        super().__init__()

        def conv(a: int, b: int, kernel: int, stride: int) -> nn.Module:
            return spectral_norm(nn.Conv2d(a, b, kernel, stride, (kernel - 1) // 2))

        self.near = nn.Sequential(
            conv(3, width, 4, 2), nn.LeakyReLU(0.2), conv(width, 2 * width, 4, 2),
            nn.LeakyReLU(0.2), conv(2 * width, 4 * width, 3, 1), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.far = nn.Sequential(
            conv(4 * width, 4 * width, 4, 2), nn.LeakyReLU(0.2), conv(4 * width, 6 * width, 4, 2),
            nn.LeakyReLU(0.2), conv(6 * width, 6 * width, 4, 2), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.near_judge = conv(4 * width, 1, 1, 1)
        self.far_judge = conv(6 * width, 1, 1, 1)
        self.near_label = spectral_norm(nn.Linear(labels, 4 * width))
        self.far_label = spectral_norm(nn.Linear(labels, 6 * width))

    def forward(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        near = self.near(image)
        far = self.far(near)
        near_meant = (near * self.near_label(label)[:, :, None, None]).sum(1, keepdim=True)
        far_meant = (far * self.far_label(label)[:, :, None, None]).sum(1, keepdim=True)
        return self.near_judge(near) + 0.3 * near_meant, self.far_judge(far) + 0.3 * far_meant
