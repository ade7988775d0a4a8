"""A whole training beside its bare limit: the network forward and backward, and nothing else.

python benchmarks/training.py [--recipe NAME] [--precision float32] [--cores 1] [--json FILE]

What a training does beside that (choosing and augmenting pictures, the optimiser, the running
average, measuring each epoch, the checkpoint) should be nearly free. Each epoch of `firstread
train`'s own loop takes turns with as many bare batches of the same network, size and precision, and
the ratio is taken pair by pair, in two currencies: seconds on the clock, which a second core may
shorten, and seconds of processor time of all threads, which it may not. Pictures are random: what
they show costs no time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from msgspec import structs

from firstread.datasets import Split
from firstread.datasets.dataset import Dataset
from firstread.train.device import Device, choose
from firstread.train.image.loop import Progress, Step, fit
from firstread.train.image.networks import Network, build
from firstread.train.image.pixels import Pixels
from firstread.train.recipe import Recipe, find_recipe, open_recipe


@dataclass
class Turns:
    """What each pair of turns took: seconds on the clock, and seconds of processor time."""

    whole_s: list[float] = field(default_factory=list)
    bare_s: list[float] = field(default_factory=list)
    whole_cpu_s: list[float] = field(default_factory=list)
    bare_cpu_s: list[float] = field(default_factory=list)


def random_pictures(recipe: Recipe, *, batches: int) -> Pixels:
    """So many that an epoch has `batches`, and as large a validation part as the recipe keeps."""
    source, shares = recipe.sources[0], recipe.shares
    learnt = batches * recipe.schedule.batch
    kept = round(learnt * shares.validation / (1 - shares.validation - shares.test))
    by = np.random.default_rng(0)
    shape = (learnt + kept, source.height_px, source.width_px, 3)
    return Pixels(
        source=source,
        dataset=Dataset("random", "image", (), str.encode),
        images=by.integers(0, 256, shape, np.uint8),
        targets=by.integers(0, len(source.labels), learnt + kept),
        parts=Split(
            train=tuple(range(learnt)), validation=tuple(range(learnt, learnt + kept)), test=()
        ),
    )


class Bare:
    """The same network, forward and backward, on a batch that is ready."""

    def __init__(self, recipe: Recipe, device: Device) -> None:
        self.head = recipe.sources[0].name
        self.device = device
        self.network: Network = build(recipe).to(device.place, memory_format=torch.channels_last)
        self.network.train()
        source, count = recipe.sources[0], recipe.schedule.batch
        shape = (count, source.height_px, source.width_px, 3)
        self.images = torch.rand(shape, device=device.place) * 255
        self.targets = F.softmax(torch.rand(count, len(source.labels), device=device.place), 1)

    def learn(self) -> None:
        self.network.zero_grad(set_to_none=True)
        with self.device.autocast():
            logits = self.network(self.images, self.head)
        F.cross_entropy(logits.float(), self.targets).backward()

    def turn(self, batches: int) -> None:
        for _ in range(batches):
            self.learn()
        if self.device.place.type == "cuda":
            torch.cuda.synchronize()


def measured(recipe: Recipe, device: Device, *, batches: int) -> Turns:
    pictures, turns = random_pictures(recipe, batches=batches), Turns()
    bare: list[Bare] = []
    cpu_s = [0.0]

    def step(told: Step) -> None:
        if told.done == 1 and not bare:
            bare.append(Bare(recipe, device))
            bare[0].turn(1)

    def report(progress: Progress) -> None:
        turns.whole_s.append(progress.took_s)
        turns.whole_cpu_s.append(time.process_time() - cpu_s[0])
        began, cpu_began = time.perf_counter(), time.process_time()
        bare[0].turn(batches)
        turns.bare_s.append(time.perf_counter() - began)
        turns.bare_cpu_s.append(time.process_time() - cpu_began)
        cpu_s[0] = time.process_time()

    with tempfile.TemporaryDirectory() as state:
        fit(recipe, [pictures], state=Path(state), device=device, report=report, step=step)
    return turns


def ratios(bare: list[float], whole: list[float]) -> tuple[float, float, float]:
    """Median, least and most of the bare turn's time over the whole one's; the first pair, in
    which everything is touched for the first time, is left out."""
    found = sorted(b / w for b, w in zip(bare[1:], whole[1:], strict=True))
    return statistics.median(found), found[0], found[-1]


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--recipe", nargs="+", default=["blood-cell", "marrow-cell"])
    words.add_argument("--precision", nargs="+", help="instead of the recipe's own")
    words.add_argument("--epochs", type=int, default=6)
    words.add_argument("--batches", type=int, default=12)
    words.add_argument("--cores", type=int, help="use so many cores only")
    words.add_argument("--device", default="auto")
    words.add_argument("--json", type=Path)
    given = words.parse_args()
    if given.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.cores])
    rows = []
    cores = len(os.sched_getaffinity(0))
    print(
        "| recipe | device | cores | batches a second, bare | of it on the clock | in core time |"
    )
    print("|---|---|---|---|---|---|")
    for name in given.recipe:
        opened = open_recipe(find_recipe(name))
        for precision in given.precision or [opened.schedule.precision]:
            device = choose(given.device, precision=precision)
            schedule = structs.replace(
                opened.schedule, epochs=given.epochs, small_until=0.0, precision=precision
            )
            recipe = structs.replace(opened, schedule=schedule, sources=opened.sources[:1], seed=1)
            turns = measured(recipe, device, batches=given.batches)
            clock = ratios(turns.bare_s, turns.whole_s)
            core = ratios(turns.bare_cpu_s, turns.whole_cpu_s)
            pace = given.batches / statistics.median(turns.bare_s[1:])
            print(
                f"| `{name}` | {device.name} | {cores} | {pace:.2f} "
                f"| {clock[0]:.2f} ({clock[1]:.2f} to {clock[2]:.2f}) "
                f"| {core[0]:.2f} ({core[1]:.2f} to {core[2]:.2f}) |",
                flush=True,
            )
            rows.append(
                {"recipe": name, "device": device.name, "cores": cores, "batches_a_second": pace,
                 "clock": clock, "core": core}
            )  # fmt: skip
            if device.place.type == "cuda":
                break  # a card computes in its own precision
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
