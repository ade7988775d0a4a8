"""The batches of an epoch: which samples, in which order, and augmented ahead of the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from torch import Generator, Tensor

from firstread.train.device import Device
from firstread.train.image.augment import augment, backgrounds, mix
from firstread.train.image.pixels import Pixels
from firstread.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One source on the device, ready to draw batches from: uint8 [N, H, W, 3], indices, colours
    [N, 3]."""

    pixels: Pixels
    images: Tensor
    targets: Tensor
    background: Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Augmented pictures, float32 [B, h, w, 3] of 0..255, and what they show, [B, K]; `lesson` is
    its number."""

    lesson: int
    images: Tensor
    targets: Tensor


def lesson(pixels: Pixels, device: Device) -> Lesson:
    """The training part of a source, copied to the device once."""
    chosen = np.array(pixels.parts.train, np.int64)
    images = pixels.images[chosen]
    return Lesson(
        pixels=pixels,
        images=torch.from_numpy(images).to(device.place),
        targets=torch.from_numpy(pixels.targets[chosen]).to(device.place),
        background=backgrounds(images).to(device.place),
    )


def order(lessons: Sequence[Lesson], recipe: Recipe, *, epoch: int) -> list[tuple[int, Tensor]]:
    """This epoch's batches as (lesson, indices), the second lesson's strewn among the first's."""
    drawn = Generator().manual_seed(recipe.seed * 100_003 + epoch)
    size = recipe.schedule.batch
    beside = epoch < recipe.schedule.beside_until * recipe.schedule.epochs
    batches: list[tuple[int, Tensor]] = []
    for number, each in enumerate(lessons[: None if beside else 1]):
        shuffled = torch.randperm(len(each.targets), generator=drawn)
        count = max(1, len(shuffled) // size)
        if number:
            count = min(count, max(1, int(len(batches) * recipe.schedule.beside)))
        batches += [(number, shuffled[i * size : (i + 1) * size]) for i in range(count)]
    mixed = torch.randperm(len(batches), generator=drawn).tolist()
    return [batches[index] for index in mixed]


def picture_size(height: int, width: int, recipe: Recipe, *, epoch: int) -> tuple[int, int]:
    """Height and width of this epoch's pictures; sixteenths, because the trunk halves four
    times."""
    if epoch >= recipe.schedule.small_until * recipe.schedule.epochs:
        return height, width
    small = recipe.schedule.small
    return max(16, round(height * small / 16) * 16), max(16, round(width * small / 16) * 16)


def batches(
    lessons: Sequence[Lesson], recipe: Recipe, device: Device, *, epoch: int
) -> Iterator[Batch]:
    """The epoch's batches. On a processor a second thread makes the next one while the network
    learns from this one; a graphics card makes them itself, ahead of what it is asked for."""
    drawn = _drawn(lessons, recipe, device, epoch=epoch)
    return drawn if device.place.type != "cpu" else _ahead(drawn)


def _ahead(drawn: Iterator[Batch]) -> Iterator[Batch]:
    with ThreadPoolExecutor(1, thread_name_prefix="augment") as thread:
        coming = thread.submit(next, drawn, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, drawn, None)
            yield batch


def _drawn(
    lessons: Sequence[Lesson], recipe: Recipe, device: Device, *, epoch: int
) -> Iterator[Batch]:
    # Every epoch draws from its own seed, so that a resumed run sees what an unbroken one would
    # have; one thread draws all of it, in order.
    by = device.generator(recipe.seed * 10_007 + epoch)
    for number, chosen in order(lessons, recipe, epoch=epoch):
        with torch.no_grad():
            yield _batch(lessons[number], number, chosen.to(device.place), recipe, epoch, by=by)


def _batch(
    own: Lesson, number: int, chosen: Tensor, recipe: Recipe, epoch: int, *, by: Generator
) -> Batch:
    count = len(own.pixels.source.labels)
    size = picture_size(own.images.shape[1], own.images.shape[2], recipe, epoch=epoch)
    images = own.images[chosen]
    seen = augment(
        images,
        own.background[chosen],
        own.background,
        recipe.augment,
        size=size,
        grey=own.pixels.source.colour == "grey",
        by=by,
    )
    targets = F.one_hot(own.targets[chosen], count).float()
    seen, targets = mix(seen, targets, recipe.augment, by=by)
    smoothing = recipe.schedule.smoothing
    return Batch(lesson=number, images=seen, targets=targets * (1 - smoothing) + smoothing / count)
