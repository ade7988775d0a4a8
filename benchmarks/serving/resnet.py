"""ResNet-18 in plain torch, from its paper (He et al., arXiv:1512.03385)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)
SPREAD = (0.229, 0.224, 0.225)


class Block(nn.Module):
    """Two 3x3 convolutions and the way around them."""

    def __init__(self, taken: int, given: int, *, stride: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(taken, given, 3, stride=stride, padding=1, bias=False)
        self.one_norm = nn.BatchNorm2d(given)
        self.two = nn.Conv2d(given, given, 3, padding=1, bias=False)
        self.two_norm = nn.BatchNorm2d(given)
        self.around: nn.Module = nn.Identity()
        if stride != 1 or taken != given:
            self.around = nn.Sequential(
                nn.Conv2d(taken, given, 1, stride=stride, bias=False), nn.BatchNorm2d(given)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.one_norm(self.one(x)))
        return torch.relu(self.two_norm(self.two(y)) + self.around(x))


class ResNet18(nn.Module):
    """uint8 [N, 224, 224, 3] to logits [N, labels]."""

    def __init__(self, *, labels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("spread", torch.tensor(SPREAD).view(1, 3, 1, 1))
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        widths = (64, 64, 128, 256, 512)
        blocks: list[nn.Module] = []
        for number, (taken, given) in enumerate(pairwise(widths)):
            blocks.append(Block(taken, given, stride=1 if number == 0 else 2))
            blocks.append(Block(given, given, stride=1))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(512, labels)

    def forward(self, image: Tensor) -> Tensor:
        x = image.permute(0, 3, 1, 2).float() / 255
        x = self.blocks(self.stem((x - self.mean) / self.spread))
        return self.head(x.mean((2, 3)))
