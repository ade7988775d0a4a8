"""The network that names a beat: small, and all it is told is relative to the same recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from firstread.runtime.beats import STATISTICS

# Where the P wave, the QRS complex and the T wave lie round the peak, in seconds.
_REGIONS_S = ((-0.28, -0.07), (-0.09, 0.11), (0.11, 0.45))
_FLOOR_MV = 0.02
_CLIP = 12.0
_LARGE_STEP = 0.12


class BeatNetwork(nn.Module):
    """float32 [N, C, T] of `firstread.runtime.beats` to logits, embedding and evidence.

    Normalisation is inside: voltages by the typical beat's, intervals by those of the recording and
    of the beats around. The evidence is the class activation map (Zhou et al., CVPR 2016) over the
    window; what the rhythm adds to a logit has no place in it.
    """

    def __init__(
        self,
        *,
        leads: int,
        rate_hz: float,
        before: int,
        length: int,
        around: int,
        labels: int,
        width: int = 24,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.leads, self.around = leads, around
        self.regions = tuple(
            (max(0, before + round(a * rate_hz)), min(length, before + round(b * rate_hz)))
            for a, b in _REGIONS_S
        )
        place = (torch.arange(length) - before) / rate_hz
        self.register_buffer("place", torch.stack([place, place.abs()])[None], persistent=False)
        told = 14 + 2 * around + leads * 2 * len(self.regions)
        self.rhythm = nn.Sequential(
            nn.Linear(told, 64), nn.GELU(), nn.Dropout(dropout), nn.Linear(64, 32), nn.GELU()
        )
        self.shapes = nn.Sequential(
            _layer(2 * leads + 2, width, kernel=9, stride=2),
            _layer(width, width, kernel=7, stride=2),
            _layer(width, 2 * width, kernel=5, stride=2),
        )
        self.bend = nn.Linear(32, 4 * width)
        self.last = _layer(2 * width, 2 * width, kernel=3, stride=1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, labels)
        self.from_rhythm = nn.Linear(32, labels, bias=False)

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """logits [N, K], embedding [N, D], evidence [N, K, t]."""
        leads = self.leads
        typical = signal[:, leads : 2 * leads]
        scale = typical.square().mean(2, keepdim=True).sqrt() + _FLOOR_MV
        own = (signal[:, :leads] / scale).clamp(-_CLIP, _CLIP)
        typical = (typical / scale).clamp(-_CLIP, _CLIP)
        rhythm = signal[:, 2 * leads, : 2 * self.around + STATISTICS]
        told = torch.cat([self._intervals(rhythm), self._likeness(own, typical)], 1)
        state = self.rhythm(told)
        place = cast("Tensor", self.place)  # a buffer
        maps = self.shapes(torch.cat([own, typical, place.expand(signal.shape[0], -1, -1)], 1))
        gain, shift = self.bend(state).unsqueeze(2).chunk(2, 1)
        maps = self.last(maps * (1 + gain) + shift)
        pooled = maps.mean(2)
        logits = self.head(self.dropout(pooled)) + self.from_rhythm(self.dropout(state))
        evidence = torch.einsum("kd,ndt->nkt", self.head.weight, maps)
        return logits, torch.cat([pooled, state], 1), evidence

    def _intervals(self, rhythm: Tensor) -> Tensor:
        around = self.around
        logs = rhythm.clamp(0.15, 5.0).log()
        gaps, stretch = logs[:, : 2 * around], logs[:, 2 * around :]
        mean, median, low, high = stretch.unbind(1)
        before, after = gaps[:, around - 1], gaps[:, around]
        near = gaps.mean(1)
        spread = (gaps - near[:, None]).square().mean(1).sqrt()
        # Of a regular heart a few steps are large, those of its early beats; of a fibrillating one
        # nearly all are.
        steps = (gaps[:, 1:] - gaps[:, :-1]).abs()
        restless = 8 * steps.clamp(max=_LARGE_STEP).mean(1)
        told = [
            before - mean,
            before - median,
            before - high,
            before - near,
            after - median,
            after - near,
            before - gaps[:, around - 2],
            after - before,
            after - gaps[:, around + 1],
            median,
            before,
            spread,
            high - low,
            restless,
        ]
        return torch.cat([torch.stack(told, 1), gaps - near[:, None]], 1)

    def _likeness(self, own: Tensor, typical: Tensor) -> Tensor:
        """How like the typical beat each part is, and how large beside it."""
        found = []
        for begin, end in self.regions:
            a, b = own[:, :, begin:end], typical[:, :, begin:end]
            a, b = a - a.mean(2, keepdim=True), b - b.mean(2, keepdim=True)
            long, wide = a.square().mean(2).sqrt(), b.square().mean(2).sqrt()
            found.append((a * b).mean(2) / (long * wide + 0.01))
            found.append(((long + 0.05) / (wide + 0.05)).log())
        return torch.cat(found, 1)


def _layer(before: int, after: int, *, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(before, after, kernel, stride=stride, padding=kernel // 2),
        nn.GroupNorm(4, after),
        nn.GELU(),
    )


class BeatEnsemble(nn.Module):
    """Several networks that learnt from different patients, and their mean answer.

    `offset` [K] is added to the logits. The embedding is the first one's, so that it is known whom
    it never saw.
    """

    offset: Tensor

    def __init__(self, members: Sequence[BeatNetwork], *, offset: Tensor) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.register_buffer("offset", offset)

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """logits [N, K], embedding [N, D], evidence [N, K, t]."""
        found = [member(signal) for member in self.members]
        logits = torch.stack([each[0] for each in found]).mean(0) + self.offset
        evidence = torch.stack([each[2] for each in found]).mean(0)
        return logits, found[0][1], evidence
