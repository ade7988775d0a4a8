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


def _uniform(*shape: int, low: float = 0.0, high: float = 1.0, by: Generator) -> Tensor:
    return torch.rand(shape, generator=by, device=by.device) * (high - low) + low


def _normal(*shape: int, by: Generator) -> Tensor:
    return torch.randn(shape, generator=by, device=by.device)


def _move(x: Tensor, how: Augment, *, size: tuple[int, int], by: Generator) -> Tensor:
    """Turned by any angle (or tilted), mirrored, scaled, sheared and shifted, in one resampling to
    `size`."""
    n = len(x)
    most = math.pi if how.turn else math.radians(how.tilt)
    angle = _uniform(n, low=-most, high=most, by=by)
    smallest, largest = -math.log(how.scale_high), -math.log(how.scale_low)
    scale = torch.exp(_uniform(n, low=smallest, high=largest, by=by))
    mirror = (_uniform(n, by=by) < 0.5).float() * 2 - 1
    shear = _uniform(n, low=-how.shear, high=how.shear, by=by)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    grid = torch.empty(n, 2, 3, device=x.device)
    grid[:, 0, 0], grid[:, 0, 1] = cos * mirror, -sin + shear
    grid[:, 1, 0], grid[:, 1, 1] = sin * mirror, cos
    grid[:, :, 2] = _uniform(n, 2, low=-2 * how.shift, high=2 * how.shift, by=by)
    where = F.affine_grid(grid, [n, x.shape[1], *size], align_corners=False)
    return F.grid_sample(x, where, mode="bilinear", padding_mode="reflection", align_corners=False)


def _recolour(
    x: Tensor, background: Tensor, pool: Tensor, how: Augment, *, by: Generator
) -> Tensor:
    """Another slide's background, another day's stain, another lamp; x is [N, C, H, W] of 0..255,
    and is changed."""
    n, colours = x.shape[:2]
    other = pool[torch.randint(len(pool), (n,), generator=by, device=by.device)]
    swap = (_uniform(n, 1, by=by) < how.background).float()
    power = torch.exp(_normal(n, colours, by=by) * how.stain * 0.6)
    power = power * torch.exp(_normal(n, 1, by=by) * how.stain)
    light = swap * other + (1 - swap) * background
    bright = how.brightness
    light = light * _uniform(n, 1, low=1 - bright, high=1 + bright, by=by)
    light = light * _uniform(n, colours, low=1 - bright * 0.3, high=1 + bright * 0.3, by=by)
    # Beer-Lambert: light that passed the stain is a share of the background's, so a share carries
    # over. In place, for memory is what this waits for.
    # A picture that is black all over has no light to share.
    share = x.div_(background[:, :, None, None].clamp(min=1e-3)).clamp_(0.004, 1.25)
    x = share.log_().mul_(power[:, :, None, None]).exp_().mul_(light[:, :, None, None])
    mean = x.mean((1, 2, 3), keepdim=True)
    factor = _uniform(n, 1, 1, 1, low=1 - how.contrast, high=1 + how.contrast, by=by)
    return x.mul_(factor).add_(mean * (1 - factor))


def _spoil(x: Tensor, how: Augment, *, by: Generator) -> Tensor:
    """Some are blurred, some noisy, some have a patch covered, as smears are; x is changed."""
    n, colours, height, width = x.shape
    chosen = torch.nonzero(_uniform(n, by=by) < how.blur).flatten()
    if len(chosen):
        sharp = x[chosen]
        soft = F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="reflect"), 3, 1)
        x[chosen] = sharp.lerp_(soft, _uniform(len(chosen), 1, 1, 1, by=by))
    if how.noise:
        loud = how.noise * 255 * _uniform(n, 1, 1, 1, by=by) ** 2
        # Every fourth picture has the same grains, at another strength: drawing them takes longest.
        grains = _normal(-(-n // 4), colours, height, width, by=by)
        for first in range(0, n, len(grains)):
            some = slice(first, min(n, first + len(grains)))
            x[some].addcmul_(grains[: some.stop - first], loud[some])
    chosen = torch.nonzero(_uniform(n, by=by) < how.erase).flatten()
    if len(chosen):
        x[chosen] = _covered(x[chosen], by=by)
    return x


def _covered(x: Tensor, *, by: Generator) -> Tensor:
    """A patch of an eighth to a third of height and width gets the picture's mean colour."""
    n, _, height, width = x.shape

    def along(side: int) -> Tensor:
        length = torch.floor(_uniform(n, 1, low=side // 8, high=side // 3, by=by))
        first = torch.floor(_uniform(n, 1, by=by) * (side - length))
        place = torch.arange(side, device=x.device)
        return (place >= first) & (place < first + length)

    patch = along(height)[:, None, :, None] & along(width)[:, None, None, :]
    return torch.where(patch, x.mean((2, 3), keepdim=True), x)


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
    has the height and width of `size`. What is `grey` stays so. All of it happens where `images`
    and the generator are; the same generator state gives the same pictures.
    """
    colours = 1 if grey else 3
    x = images[..., :colours].permute(0, 3, 1, 2).float()
    x = _move(x, how, size=size, by=by)
    x = _recolour(x, background[:, :colours], pool[:, :colours], how, by=by)
    x = _spoil(x, how, by=by).clamp_(0, 255)
    return x.permute(0, 2, 3, 1).expand(-1, -1, -1, 3)


def mix(images: Tensor, targets: Tensor, how: Augment, *, by: Generator) -> tuple[Tensor, Tensor]:
    """Half of the mixed batches blend two pictures (mixup), half paste a part of one into the other
    (cutmix).

    Zhang et al., arXiv:1710.09412; Yun et al., arXiv:1905.04899. `targets` are probabilities [N,
    K].
    """
    whether, share, which, down, right = _uniform(5, by=by).tolist()
    if whether >= how.mix:
        return images, targets
    order = torch.randperm(len(images), generator=by, device=by.device)
    if which < 0.5:
        share = 0.5 + share / 2
        mixed = images * share + images[order] * (1 - share)
    else:
        height, width = images.shape[1:3]
        side = math.sqrt(share * 0.5)
        tall, wide = int(height * side), int(width * side)
        top, left = int(down * (height - tall + 1)), int(right * (width - wide + 1))
        mixed = images.clone()
        part = images[order][:, top : top + tall, left : left + wide]
        mixed[:, top : top + tall, left : left + wide] = part
        share = 1 - tall * wide / (height * width)
    return mixed, targets * share + targets[order] * (1 - share)
