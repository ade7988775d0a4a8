"""The training loop: epochs of augmented batches, a running average of the weights, a checkpoint
each epoch."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from firstread.train.augment import augment, backgrounds, mix
from firstread.train.memory import keep_memory
from firstread.train.networks import Network, build
from firstread.train.pixels import Pixels
from firstread.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a watcher sees after an epoch; accuracy is that of the averaged weights on validation
    samples."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    took_s: float


@dataclass(frozen=True, kw_only=True)
class _Lesson:
    """One source, ready to draw batches from."""

    pixels: Pixels
    images: Tensor
    targets: Tensor
    background: Tensor


def fit(
    recipe: Recipe,
    sources: Sequence[Pixels],
    *,
    state: Path,
    report: Callable[[Progress], None] = lambda _: None,
) -> Network:
    """Train the recipe's network on the first source (and on the others beside it); the averaged
    weights.

    `state` is a folder for the checkpoint: a run that was killed continues from its last whole
    epoch, and ends with the same weights, bit for bit, as one that was not.
    """
    keep_memory()
    torch.set_num_threads(recipe.schedule.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(recipe.seed)
    network = build(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    average: Network = copy.deepcopy(network).eval()
    optimizer = _optimizer(network, recipe)
    state.mkdir(parents=True, exist_ok=True)
    checkpoint = state / f"{recipe.name}-{recipe.fingerprint()}.pt"
    first = _resume(checkpoint, network, average, optimizer)
    lessons = [_lesson(pixels) for pixels in sources]
    for epoch in range(first, recipe.schedule.epochs):
        started = time.monotonic()
        loss = _epoch(network, average, optimizer, lessons, recipe, epoch)
        _keep(checkpoint, network, average, optimizer, epoch)
        progress = Progress(
            epoch=epoch + 1,
            epochs=recipe.schedule.epochs,
            loss=loss,
            accuracy=_accuracy(average, sources[0], recipe, epoch),
            took_s=time.monotonic() - started,
        )
        report(progress)
    return average


def _accuracy(average: Network, main: Pixels, recipe: Recipe, epoch: int) -> float:
    """Of validation samples, at the size that the network is learning at."""
    kept = np.array(main.parts.validation, np.int64)
    if not len(kept):
        return 0.0
    images = torch.from_numpy(main.images[kept])
    size = _size(images, recipe, epoch)
    if size != tuple(images.shape[1:3]):
        planes = images.permute(0, 3, 1, 2).float()
        images = F.interpolate(planes, size=size, mode="bilinear", antialias=True).permute(
            0, 2, 3, 1
        )
    logits = logits_of(average, images, head=main.source.name)
    return float((logits.argmax(1) == main.targets[kept]).mean())


def _lesson(pixels: Pixels) -> _Lesson:
    chosen = np.array(pixels.parts.train, np.int64)
    images = pixels.images[chosen]
    return _Lesson(
        pixels=pixels,
        images=torch.from_numpy(images),
        targets=torch.from_numpy(pixels.targets[chosen]),
        background=backgrounds(images),
    )


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    """Biases and gains are not decayed; a table's `times` is how much faster than the rate it
    learns."""
    rooms = ((network.trunk, 1.0), (network.heads, recipe.schedule.head))
    tables: list[dict[str, Any]] = []
    for room, times in rooms:
        learning = [p for p in room.parameters() if p.requires_grad]
        decayed = [p for p in learning if p.ndim > 1 and p[0].numel() > 1]
        free = [p for p in learning if not (p.ndim > 1 and p[0].numel() > 1)]
        decay = recipe.schedule.weight_decay
        tables.append({"params": decayed, "weight_decay": decay, "times": times})
        tables.append({"params": free, "weight_decay": 0.0, "times": times})
    return torch.optim.AdamW(tables, lr=recipe.schedule.rate, betas=(0.9, 0.98))


def _batches(lessons: Sequence[_Lesson], recipe: Recipe, epoch: int) -> list[tuple[int, Tensor]]:
    """This epoch's batches as (lesson, indices), the second lesson's strewn among the first's."""
    order = Generator().manual_seed(recipe.seed * 100_003 + epoch)
    size = recipe.schedule.batch
    beside = epoch < recipe.schedule.beside_until * recipe.schedule.epochs
    batches: list[tuple[int, Tensor]] = []
    for number, lesson in enumerate(lessons[: None if beside else 1]):
        shuffled = torch.randperm(len(lesson.targets), generator=order)
        count = max(1, len(shuffled) // size)
        if number:
            count = min(count, max(1, int(len(batches) * recipe.schedule.beside)))
        batches += [(number, shuffled[i * size : (i + 1) * size]) for i in range(count)]
    mixed = torch.randperm(len(batches), generator=order).tolist()
    return [batches[index] for index in mixed]


def _rate(share: float, recipe: Recipe) -> float:
    """One warm-up, then a cosine down to nothing; `share` is the part of the run that is done."""
    warmup = recipe.schedule.warmup
    if share < warmup:
        return recipe.schedule.rate * (share + 1e-3) / warmup
    along = (share - warmup) / (1 - warmup)
    return recipe.schedule.rate * 0.5 * (1 + float(np.cos(np.pi * along)))


def _epoch(
    network: Network,
    average: Network,
    optimizer: torch.optim.Optimizer,
    lessons: Sequence[_Lesson],
    recipe: Recipe,
    epoch: int,
) -> float:
    # Every epoch draws from its own seed, so that a resumed run sees what an unbroken one would
    # have.
    torch.manual_seed(recipe.seed * 1_000_003 + epoch)
    by = Generator().manual_seed(recipe.seed * 10_007 + epoch)
    batches = _batches(lessons, recipe, epoch)
    network.train()
    losses: list[float] = []
    for step, (number, chosen) in enumerate(batches):
        lesson = lessons[number]
        share = (epoch + step / len(batches)) / recipe.schedule.epochs
        for table in optimizer.param_groups:
            table["lr"] = _rate(share, recipe) * table["times"]
        loss = _loss(network, lesson, chosen, recipe, epoch=epoch, by=by)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        _average(average, network, epoch * len(batches) + step, recipe)
        if number == 0:
            losses.append(loss.item())
    return float(np.mean(losses))


def _size(images: Tensor, recipe: Recipe, epoch: int) -> tuple[int, int]:
    """Height and width of this epoch's pictures; sixteenths, because the trunk halves four
    times."""
    height, width = images.shape[1:3]
    if epoch >= recipe.schedule.small_until * recipe.schedule.epochs:
        return height, width
    small = recipe.schedule.small
    return max(16, round(height * small / 16) * 16), max(16, round(width * small / 16) * 16)


def _loss(
    network: Network, lesson: _Lesson, chosen: Tensor, recipe: Recipe, *, epoch: int, by: Generator
) -> Tensor:
    source = lesson.pixels.source
    count = len(source.labels)
    images, background = lesson.images[chosen], lesson.background[chosen]
    size = _size(images, recipe, epoch)
    seen = augment(images, background, lesson.background, recipe.augment, size=size, by=by)
    targets = F.one_hot(lesson.targets[chosen], count).float()
    seen, targets = mix(seen, targets, recipe.augment, by=by)
    targets = targets * (1 - recipe.schedule.smoothing) + recipe.schedule.smoothing / count
    bf16 = recipe.schedule.precision == "bfloat16"
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits = network(seen, source.name)
    return F.cross_entropy(logits.float(), targets)


def _average(average: Network, network: Network, step: int, recipe: Recipe) -> None:
    keep = min(recipe.schedule.average, (1 + step) / (10 + step))
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)


def _keep(checkpoint: Path, network: Network, average: Network, optimizer: Any, epoch: int) -> None:
    state = {
        "epoch": epoch,
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    beside = checkpoint.with_suffix(".part")
    torch.save(state, beside)
    beside.replace(checkpoint)


def _resume(checkpoint: Path, network: Network, average: Network, optimizer: Any) -> int:
    if not checkpoint.is_file():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["epoch"]) + 1


def logits_of(network: Network, images: Tensor, *, head: str) -> NDArray[np.float32]:
    """The network's plain answers in float32: [N, H, W, 3] of 0..255 to [N, K]."""
    network.eval()
    with torch.inference_mode():
        answers = [network(batch, head).float() for batch in torch.split(images, 64)]
    return torch.cat(answers).numpy()
