"""The training loop: epochs of augmented batches, a running average of the weights, a checkpoint
each epoch."""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from msgspec import structs
from numpy.typing import NDArray
from torch import Tensor, nn

from firstread.domain.errors import BadConfiguration
from firstread.train import checkpoint
from firstread.train.device import Device, choose, repeat_exactly
from firstread.train.history import Progress, Step, best_epoch, is_over, write_history
from firstread.train.image.batches import Batch, Lesson, batches, lesson, order, picture_size
from firstread.train.image.memory import keep_memory
from firstread.train.image.networks import Network, build
from firstread.train.image.pixels import Pixels
from firstread.train.image.validation import Watch
from firstread.train.recipe import Recipe

__all__ = ["Progress", "Step", "Trained", "fit"]
_APART = 7919
"""Between the seeds of two runs: farther than the seeds of two recipes lie apart."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network on the processor, and how it came about; `kept_epoch` is that of its weights."""

    network: Network
    history: tuple[Progress, ...]
    kept_epoch: int
    device: str


@dataclass(kw_only=True)
class _Run:
    """What changes while a network learns."""

    recipe: Recipe
    device: Device
    network: Network
    average: Network
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    history: list[Progress] = field(default_factory=list)
    best: dict[str, Tensor] | None = None

    @property
    def first_counted(self) -> int:
        """The epochs that read smaller pictures than the pack will."""
        return math.ceil(self.recipe.schedule.small_until * self.recipe.schedule.epochs)

    @property
    def over(self) -> bool:
        schedule = self.recipe.schedule
        ended = len(self.history) >= schedule.epochs
        return ended or is_over(self.history, first=self.first_counted, patience=schedule.patience)


def fit(
    recipe: Recipe,
    sources: Sequence[Pixels],
    *,
    state: Path,
    run: int = 0,
    device: Device | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    step: Callable[[Step], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train the recipe's network on the first source (and on the others beside it); the averaged
    weights.

    `state` is a folder for the checkpoint and the table of epochs: a run that was killed continues
    from its last whole epoch, and on a processor ends with the same weights, bit for bit, as one
    that was not. With `[schedule] patience` the weights are those of the epoch that read validation
    samples best, and the run ends once so many epochs have not bettered it. Another number `run`
    begins with the same weights and draws its batches in another order.

    Raises BadConfiguration where the device is not there or the weights leave all bounds, and
    OSError where the checkpoint cannot be written.
    """
    keep_memory()
    device = device or choose(precision=recipe.schedule.precision)
    repeat_exactly(device, threads=recipe.schedule.threads)
    state.mkdir(parents=True, exist_ok=True)
    name = f"{recipe.name}-{recipe.fingerprint()}"
    kept = state / (f"{name}-{run}.pt" if run else f"{name}.pt")
    samples = _samples(sources)
    learning = _resumed(recipe, device, kept, number=run, samples=samples, say=say)
    if not learning.over:
        lessons = [lesson(pixels, device) for pixels in sources]
        watch = Watch(sources[0], device, seed=recipe.seed)
    while not learning.over:
        epoch = len(learning.history)
        started = time.monotonic()
        loss = _epoch(learning, lessons, epoch=epoch, step=step)
        own = lessons[0].images.shape
        size = picture_size(own[1], own[2], recipe, epoch=epoch)
        figures = watch.figures(learning.average, size=size)
        took_s = time.monotonic() - started
        progress = Progress(
            epoch=epoch + 1, epochs=recipe.schedule.epochs, loss=loss, took_s=took_s, **figures
        )
        learning.history.append(progress)
        _note_best(learning)
        _keep(learning, kept, samples=samples)
        write_history(learning.history, kept.with_suffix(".csv"))
        report(_with_time_left(learning, lessons))
    return _trained(learning)


def _begin(recipe: Recipe, device: Device, *, number: int) -> _Run:
    torch.manual_seed(recipe.seed)
    network = build(recipe).to(device.place, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    average: Network = copy.deepcopy(network).eval()
    return _Run(
        recipe=structs.replace(recipe, seed=recipe.seed + number * _APART),
        device=device,
        network=network,
        average=average,
        optimizer=_optimizer(network, recipe),
        scaler=device.scaler(),
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
    return torch.optim.AdamW(tables, lr=recipe.schedule.rate, betas=(0.9, 0.98), fused=True)


def _rate(share: float, recipe: Recipe) -> float:
    """One warm-up, then a cosine down to nothing; `share` is the part of the run that is done."""
    warmup = recipe.schedule.warmup
    if share < warmup:
        return recipe.schedule.rate * (share + 1e-3) / warmup
    along = (share - warmup) / (1 - warmup)
    return recipe.schedule.rate * 0.5 * (1 + float(np.cos(np.pi * along)))


def _epoch(
    run: _Run, lessons: Sequence[Lesson], *, epoch: int, step: Callable[[Step], None]
) -> float:
    recipe = run.recipe
    # Dropout draws from it; an epoch has a seed of its own, so that a resumed run repeats it.
    torch.manual_seed(recipe.seed * 1_000_003 + epoch)
    steps = len(order(lessons, recipe, epoch=epoch))
    run.network.train()
    losses: list[Tensor] = []
    for number, batch in enumerate(batches(lessons, recipe, run.device, epoch=epoch)):
        rate = _rate((epoch + number / steps) / recipe.schedule.epochs, recipe)
        for table in run.optimizer.param_groups:
            table["lr"] = rate * table["times"]
        loss = _learn(run, batch, head=lessons[batch.lesson].pixels.source.name)
        _average(run, epoch * steps + number)
        if batch.lesson == 0:
            losses.append(loss)
        step(Step(epoch=epoch + 1, epochs=recipe.schedule.epochs, done=number + 1, steps=steps))
    # Looked at once an epoch: a graphics card would have to wait for every look.
    mean = float(torch.stack(losses).mean())
    if not math.isfinite(mean):
        raise BadConfiguration(
            f"In epoch {epoch + 1} the loss is no longer a number: the network learns too fast. "
            "Lower [schedule] rate, or raise warmup, and start again."
        )
    return mean


def _learn(run: _Run, batch: Batch, *, head: str) -> Tensor:
    with run.device.autocast():
        logits = run.network(batch.images, head)
    loss = F.cross_entropy(logits.float(), batch.targets)
    run.optimizer.zero_grad(set_to_none=True)
    run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    run.scaler.unscale_(run.optimizer)
    nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    run.scaler.step(run.optimizer)
    run.scaler.update()
    return loss.detach()


def _average(run: _Run, step: int) -> None:
    keep = min(run.recipe.schedule.average, (1 + step) / (10 + step))
    with torch.no_grad():
        slow: list[Tensor] = list(run.average.parameters())
        fast: list[Tensor] = list(run.network.parameters())
        torch._foreach_lerp_(slow, fast, 1 - keep)
        # What a normalisation remembers of its batches, where a network has one.
        for old, new in zip(run.average.buffers(), run.network.buffers(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)


def _note_best(run: _Run) -> None:
    if not run.recipe.schedule.patience:
        return
    if best_epoch(run.history, first=run.first_counted) == len(run.history):
        run.best = {name: value.clone() for name, value in run.average.state_dict().items()}


def _samples(sources: Sequence[Pixels]) -> str:
    """The hash of all that decides what is learnt: training parts, and the one that is watched."""

    def arrays() -> Iterator[NDArray[Any]]:
        watched = (sources[0], sources[0].parts.validation)
        for each, part in (*((each, each.parts.train) for each in sources), watched):
            yield from (each.images[index] for index in part)
            yield each.targets[list(part)]

    return checkpoint.samples_of(arrays())


def _keep(run: _Run, kept: Path, *, samples: str) -> None:
    state: dict[str, Any] = {
        "epoch": len(run.history) - 1,
        "network": run.network.state_dict(),
        "average": run.average.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "scaler": run.scaler.state_dict(),
        "history": [vars(row) for row in run.history],
        "best": run.best,
    }
    checkpoint.keep(state, kept, samples=samples)


def _resumed(
    recipe: Recipe,
    device: Device,
    kept: Path,
    *,
    number: int,
    samples: str,
    say: Callable[[str], None],
) -> _Run:
    """The run as its checkpoint left it, or a new one.

    What decides the rest is weights, optimiser and history, from which it follows whether to stop.
    Random numbers need no keeping, for every epoch has a seed of its own.
    """
    state = checkpoint.resume(kept, samples=samples, say=say)
    run = _begin(recipe, device, number=number)
    if state is None:
        return run
    try:
        run.network.load_state_dict(state["network"])
        run.average.load_state_dict(state["average"])
        run.optimizer.load_state_dict(state["optimizer"])
        if state["scaler"]:
            run.scaler.load_state_dict(state["scaler"])
        run.history = [Progress(**row) for row in state["history"]]
        run.best = state["best"]
    except (RuntimeError, ValueError, KeyError, TypeError):
        checkpoint.set_aside(kept, why="is of another network or version", say=say)
        return _begin(recipe, device, number=number)
    return run


def _with_time_left(run: _Run, lessons: Sequence[Lesson]) -> Progress:
    """The last epoch, with the seconds that those to come will take at the usual pace: epochs with
    small pictures, or with a second lesson, are weighed by their pixels."""

    def weight(epoch: int) -> float:
        total = 0.0
        for number, _ in order(lessons, run.recipe, epoch=epoch):
            _, height, width, _ = lessons[number].images.shape
            total += math.prod(picture_size(height, width, run.recipe, epoch=epoch))
        return total

    pace = statistics.median(row.took_s / weight(row.epoch - 1) for row in run.history)
    coming = range(len(run.history), run.recipe.schedule.epochs)
    return replace(run.history[-1], left_s=pace * sum(weight(epoch) for epoch in coming))


def _trained(run: _Run) -> Trained:
    average = run.average
    if run.best is not None:
        average.load_state_dict(run.best)
    best = best_epoch(run.history, first=run.first_counted) if run.best is not None else None
    return Trained(
        network=average.to("cpu").eval(),
        history=tuple(run.history),
        kept_epoch=best or len(run.history),
        device=run.device.name,
    )
