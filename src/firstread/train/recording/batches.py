"""Batches of beats as the network sees them, changed at random as other patients and devices would
change them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from firstread.train.recording.beats import BeatSet

_STEADY = 0.12
"""The spread of the logarithms of the intervals up to which a rhythm is regular."""


def shown(beats: BeatSet, chosen: Tensor) -> Tensor:
    """Beats [n] as the reader shows them: float32 [n, C, T]."""
    own = beats.windows[chosen, :, beats.earlier :].float()
    return _joined(own, beats.typical[beats.typical_of[0, chosen]], beats.rhythm[0, chosen])


def changed(
    beats: BeatSet,
    chosen: Tensor,
    *,
    around: int,
    before: int,
    rate_hz: float,
    made_up: float,
    fibrillating: float,
    premature: int,
    draw: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Beats [n] changed at random, with their labels: float32 [n, C, T] and int64 [n].

    `made_up` of the beats of label 0 in a regular rhythm become premature beats, of the label
    `premature`; the share `fibrillating` of the others of label 0 come as in atrial fibrillation,
    irregularly and without P waves, and stay what they are.
    """
    count = len(chosen)
    way = torch.randint(0, len(beats.typical_of), (count,), generator=draw)
    typical = beats.typical[beats.typical_of[way, chosen]].clone()
    rhythm = beats.rhythm[way, chosen].clone()
    targets = beats.targets[chosen].clone()
    whole = beats.windows[chosen].float()
    shift = _pulled_forward(
        rhythm, targets, around=around, made_up=made_up, premature=premature, draw=draw
    )
    own = _cut(whole, typical, shift, beats=beats, before=before, rate_hz=rate_hz, draw=draw)
    own, typical = _fibrillating(
        own, typical, rhythm, targets, around=around, before=before, rate_hz=rate_hz,
        share=fibrillating, draw=draw,
    )  # fmt: skip
    rhythm = _other_rate(rhythm, around=around, draw=draw)
    own, typical = _other_device(own, typical, rate_hz=rate_hz, draw=draw)
    return _joined(own, typical, rhythm), targets


def _joined(own: Tensor, typical: Tensor, rhythm: Tensor) -> Tensor:
    count, leads, length = own.shape
    out = torch.zeros(count, 2 * leads + 1, length)
    out[:, :leads] = own
    out[:, leads : 2 * leads] = typical
    out[:, -1, : rhythm.shape[1]] = rhythm
    return out


def _pulled_forward(
    rhythm: Tensor,
    targets: Tensor,
    *,
    around: int,
    made_up: float,
    premature: int,
    draw: torch.Generator,
) -> Tensor:
    """Make some beats premature, in `rhythm` and `targets`; by how many seconds each, 0 for most.

    The interval before shrinks to 0.55 to 0.88 of itself, the one after grows by nothing up to
    what the other lost. Most of them stand in a short or a long run of such beats, with a pause
    before it and after it; some of those runs are most of what the recording holds.
    """
    count = len(targets)
    spread = rhythm[:, : 2 * around].clamp(0.15, 5).log().std(1)
    lucky = torch.rand(count, generator=draw) < made_up
    chosen = (targets == 0) & (spread < _STEADY) & lucky
    factor = 0.55 + 0.33 * torch.rand(count, generator=draw)
    # Not earlier than the heart can answer again.
    last = rhythm[:, around - 1].clone()
    factor = torch.maximum(factor, (0.3 / last.clamp(min=0.31)).clamp(max=1.0))
    kind = torch.rand(count, generator=draw)
    in_run = kind < 0.65
    longest = torch.where(kind < 0.3, 3.0, 2.5 * around)
    earlier, later = (
        torch.where(in_run, (torch.rand(count, generator=draw) * longest).floor(), torch.zeros(()))
        for _ in range(2)
    )
    place = torch.arange(2 * around)[None] - (around - 1)  # 0 is the interval before the beat
    short = (place >= -earlier[:, None]) & (place <= later[:, None])
    pause = 1 + (1 - factor) * torch.rand(count, generator=draw) * 1.5
    rested = (place == later[:, None] + 1) | (in_run[:, None] & (place == -earlier[:, None] - 1))
    times = torch.where(short, factor[:, None], torch.where(rested, pause[:, None], 1.0))
    mostly = in_run & (torch.rand(count, generator=draw) < 0.3)
    stretch = rhythm[:, 2 * around :].clone()
    low = stretch[:, 1] * factor
    told = torch.stack([(low + stretch[:, 1]) / 2, low, low, stretch[:, 3] * pause], 1)
    rhythm[:, 2 * around :] = torch.where((chosen & mostly)[:, None], told, stretch)
    rhythm[:, : 2 * around] *= torch.where(chosen[:, None], times, torch.ones(()))
    targets[chosen & (factor < 0.92)] = premature
    return torch.where(chosen, last * (1 - factor), torch.zeros(count))


def _cut(
    whole: Tensor,
    typical: Tensor,
    shift: Tensor,
    *,
    beats: BeatSet,
    before: int,
    rate_hz: float,
    draw: torch.Generator,
) -> Tensor:
    """The window [n, leads, T] of each, a few samples off; where a beat was pulled forward, what
    lay before its QRS complex lies later, and its P wave is another."""
    count, leads, length = whole.shape
    kept = length - beats.earlier
    off = torch.randint(-3, 4, (count, 1), generator=draw)
    at = torch.arange(kept)[None] + beats.earlier + off
    peak = beats.earlier + before
    ahead = at < (peak - round(0.06 * rate_hz))
    at = at - torch.where(ahead, (shift * rate_hz).round().long()[:, None], torch.zeros_like(at))
    places = at.clamp(0, length - 1)[:, None].expand(count, leads, kept)
    own = torch.gather(whole, 2, places)
    scale = typical.square().mean(2, keepdim=True).sqrt()
    seconds = (torch.arange(kept) - (peak - beats.earlier))[None, None] / rate_hz
    centre = -0.2 + 0.1 * torch.rand(count, 1, 1, generator=draw)
    width = 0.015 + 0.02 * torch.rand(count, 1, 1, generator=draw)
    height = 0.6 * torch.randn(count, leads, 1, generator=draw) * scale
    bump = height * torch.exp(-(((seconds - centre) / width) ** 2))
    return own + torch.where(shift[:, None, None] > 0.05, bump, torch.zeros_like(bump))


def _fibrillating(
    own: Tensor,
    typical: Tensor,
    rhythm: Tensor,
    targets: Tensor,
    *,
    around: int,
    before: int,
    rate_hz: float,
    share: float,
    draw: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Take the P waves from some normal beats and their typical beat, and make their intervals as
    irregular as in atrial fibrillation; `rhythm` is changed in place."""
    count, leads, length = own.shape
    chosen = (targets == 0) & (torch.rand(count, generator=draw) < share)
    spread = 0.12 + 0.2 * torch.rand(count, 1, generator=draw)
    faster = torch.exp(-0.3 * torch.rand(count, 1, generator=draw))
    usual = rhythm[:, 2 * around + 1, None] * faster
    gaps = usual * torch.exp(spread * torch.randn(count, 2 * around, generator=draw))
    ends = torch.tensor([-1.2816, 1.2816])
    told = torch.cat([usual * torch.exp(spread**2 / 2), usual, usual * torch.exp(spread * ends)], 1)
    rhythm[chosen] = torch.cat([gaps, told], 1)[chosen]
    seconds = (torch.arange(length) - before) / rate_hz
    atrial = torch.sigmoid((seconds + 0.26) / 0.01) * torch.sigmoid((-0.07 - seconds) / 0.01)
    scale = typical.square().mean(2, keepdim=True).sqrt()
    turns = (4 + 5 * torch.rand(count, 1, 1, generator=draw)) * seconds
    waves = torch.sin(2 * math.pi * (turns + torch.rand(count, leads, 1, generator=draw)))
    height = 0.15 * torch.rand(count, leads, 1, generator=draw) * scale
    still = chosen[:, None, None]
    return (
        torch.where(still, own - atrial * typical + height * waves, own),
        torch.where(still, typical * (1 - atrial), typical),
    )


def _other_rate(rhythm: Tensor, *, around: int, draw: torch.Generator) -> Tensor:
    """Another heart rate, and what is usual a little otherwise."""
    count, told = rhythm.shape
    stretch = told - 2 * around
    rhythm = rhythm * torch.exp(0.12 * torch.randn(count, 1, generator=draw))
    usual = torch.exp(0.06 * torch.randn(count, stretch, generator=draw))
    jitter = torch.exp(0.01 * torch.randn(count, 2 * around, generator=draw))
    return rhythm * torch.cat([jitter, usual], 1)


def _other_device(
    own: Tensor, typical: Tensor, *, rate_hz: float, draw: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Wander, noise and gain; leads in another order, upside down, or not there."""
    count, leads, length = own.shape
    scale = typical.square().mean(2, keepdim=True).sqrt()

    def some(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=draw)

    seconds = torch.arange(length) / rate_hz
    turns = (0.3 + 1.2 * some(count, leads, 1)) * seconds + some(count, leads, 1)
    own = own + scale * 0.4 * some(count, leads, 1) * torch.sin(2 * math.pi * turns)
    hiss = torch.randn(count, leads, length, generator=draw)
    own = own + scale * 0.12 * some(count, leads, 1) * hiss
    own = own * torch.exp(0.12 * torch.randn(count, leads, 1, generator=draw))
    typical = typical * torch.exp(0.05 * torch.randn(count, leads, 1, generator=draw))
    sign = torch.where(some(count, leads, 1) < 0.05, -1.0, 1.0)
    own, typical = own * sign, typical * sign
    if leads > 1:
        fate = some(count)
        turned = fate < 0.12
        own[turned], typical[turned] = own[turned].flip(1), typical[turned].flip(1)
        lost = torch.randint(0, leads, (count,), generator=draw)
        for lead in range(leads):
            gone = (fate > 0.8) & (lost == lead)
            own[gone, lead], typical[gone, lead] = 0.0, 0.0
    return own, typical
