"""Training pictures turned, scaled and recoloured, so that a network learns the cell and not the
slide."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from numpy.typing import NDArray
from torch import Generator, Tensor

from firstread.train.recipe import Augment


def backgrounds(images: NDArray[np.uint8]) -> Tensor:
    """The colour of each picture's empty background: [N, H, W, 3] to [N, 3].

    The median of the brightest quarter by green, the channel in which stained cells are darkest.
    """
    found = np.empty((len(images), 3), np.float32)
    for index, image in enumerate(images):
        pixels = image.reshape(-1, 3)
        green = pixels[:, 1]
        bright = pixels[green >= np.quantile(green, 0.75)]
        found[index] = np.median(bright, axis=0)
    return torch.from_numpy(found)


def _uniform(count: int, low: float, high: float, *, by: Generator) -> Tensor:
    return torch.rand(count, generator=by, device=by.device) * (high - low) + low


def _move(x: Tensor, how: Augment, *, size: tuple[int, int], by: Generator) -> Tensor:
    """Turned by any angle (or tilted), mirrored, scaled, sheared and shifted, in one resampling to
    `size`."""
    n = len(x)
    most = math.pi if how.turn else math.radians(how.tilt)
    angle = _uniform(n, -most, most, by=by)
    scale = torch.exp(_uniform(n, -math.log(how.scale_high), -math.log(how.scale_low), by=by))
    mirror = (torch.rand(n, generator=by, device=by.device) < 0.5).float() * 2 - 1
    shear = _uniform(n, -how.shear, how.shear, by=by)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    grid = torch.empty(n, 2, 3, device=x.device)
    grid[:, 0, 0], grid[:, 0, 1] = cos * mirror, -sin + shear
    grid[:, 1, 0], grid[:, 1, 1] = sin * mirror, cos
    grid[:, :, 2] = (torch.rand(n, 2, generator=by, device=by.device) * 2 - 1) * 2 * how.shift
    where = F.affine_grid(grid, [n, 3, *size], align_corners=False)
    return F.grid_sample(x, where, mode="bilinear", padding_mode="reflection", align_corners=False)


def _recolour(
    x: Tensor, background: Tensor, pool: Tensor, how: Augment, *, grey: bool, by: Generator
) -> Tensor:
    """Another slide's background, another day's stain, another lamp; x is [N, 3, H, W] of
    0..255. What is `grey` stays grey."""
    n = len(x)
    colours = 1 if grey else 3
    other = pool[torch.randint(len(pool), (n,), generator=by, device=by.device)]
    swap = (torch.rand(n, 1, generator=by, device=by.device) < how.background).float()
    # Beer-Lambert: light that passed the stain is a share of the background's, so a share carries
    # over.
    share = torch.clamp(x / background[:, :, None, None], 0.004, 1.25)
    power = torch.exp(torch.randn(n, colours, generator=by, device=by.device) * how.stain * 0.6)
    power = power * torch.exp(torch.randn(n, 1, generator=by, device=by.device) * how.stain)
    share = torch.exp(torch.log(share) * power[:, :, None, None])
    light = swap * other + (1 - swap) * background
    light = light * (
        1 + (torch.rand(n, 1, generator=by, device=by.device) * 2 - 1) * how.brightness
    )
    light = light * (
        1 + (torch.rand(n, colours, generator=by, device=by.device) * 2 - 1) * how.brightness * 0.3
    )
    x = share * light[:, :, None, None]
    mean = x.mean((1, 2, 3), keepdim=True)
    factor = 1 + (torch.rand(n, 1, 1, 1, generator=by, device=by.device) * 2 - 1) * how.contrast
    return (x - mean) * factor + mean


def _spoil(x: Tensor, how: Augment, *, grey: bool, by: Generator) -> Tensor:
    """Some are blurred, some noisy, some have a patch covered, as smears are."""
    n, _, height, width = x.shape
    chosen = torch.rand(n, generator=by, device=by.device) < how.blur
    if bool(chosen.any()):
        soft = F.avg_pool2d(F.pad(x[chosen], (1, 1, 1, 1), mode="reflect"), 3, 1)
        strength = torch.rand(len(soft), 1, 1, 1, generator=by, device=by.device)
        x[chosen] = x[chosen] * (1 - strength) + soft * strength
    if how.noise:
        loud = how.noise * 255 * torch.rand(n, 1, 1, 1, generator=by, device=by.device) ** 2
        shape = (n, 1 if grey else 3, height, width)
        x = x + torch.randn(shape, generator=by, device=by.device) * loud
    for index in (
        torch.nonzero(torch.rand(n, generator=by, device=by.device) < how.erase).flatten().tolist()
    ):
        tall, wide = (int(v) for v in torch.randint(height // 8, height // 3, (2,), generator=by))
        top = int(torch.randint(0, height - tall, (1,), generator=by))
        left = int(torch.randint(0, width - wide, (1,), generator=by))
        x[index, :, top : top + tall, left : left + wide] = x[index].mean((1, 2))[:, None, None]
    return x


def augment(
    images: Tensor,
    background: Tensor,
    pool: Tensor,
    how: Augment,
    *,
    size: tuple[int, int],
    grey: bool = False,
    by: Generator,
) -> Tensor:
    """A batch as a network has not seen it before: uint8 [N, H, W, 3] to float32 of 0..255.

    `background` holds the batch's own background colours, `pool` those of the whole set; the answer
    has the height and width of `size`. The same generator state gives the same pictures.
    """
    x = images.permute(0, 3, 1, 2).float()
    x = _move(x, how, size=size, by=by)
    x = _recolour(x, background, pool, how, grey=grey, by=by)
    x = torch.clamp(_spoil(x, how, grey=grey, by=by), 0, 255)
    return x.permute(0, 2, 3, 1)


def mix(images: Tensor, targets: Tensor, how: Augment, *, by: Generator) -> tuple[Tensor, Tensor]:
    """Half of the mixed batches blend two pictures (mixup), half paste a part of one into the other
    (cutmix).

    Zhang et al., arXiv:1710.09412; Yun et al., arXiv:1905.04899. `targets` are probabilities [N,
    K].
    """
    if float(torch.rand(1, generator=by)) >= how.mix:
        return images, targets
    order = torch.randperm(len(images), generator=by)
    share = float(torch.rand(1, generator=by))
    if float(torch.rand(1, generator=by)) < 0.5:
        share = 0.5 + share / 2
        mixed = images * share + images[order] * (1 - share)
    else:
        height, width = images.shape[1:3]
        side = math.sqrt(share * 0.5)
        tall, wide = int(height * side), int(width * side)
        top = int(torch.randint(0, height - tall + 1, (1,), generator=by))
        left = int(torch.randint(0, width - wide + 1, (1,), generator=by))
        mixed = images.clone()
        part = images[order][:, top : top + tall, left : left + wide]
        mixed[:, top : top + tall, left : left + wide] = part
        share = 1 - tall * wide / (height * width)
    return mixed, targets * share + targets[order] * (1 - share)
