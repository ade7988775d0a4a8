"""A few coloured pictures and a recipe that learns them within a second, for tests of the loop."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace

from firstread.datasets import Split
from firstread.datasets.dataset import Dataset
from firstread.train.history import Step
from firstread.train.image.loop import Trained, fit
from firstread.train.image.pixels import Pixels
from firstread.train.recipe import (
    Augment,
    NetworkShape,
    Recipe,
    SaidLabel,
    SaidPack,
    Schedule,
    Source,
)

SOURCE = Source(name="squares", labels=("dark", "light"), width_px=16, height_px=16)
RECIPE = Recipe(
    name="squares",
    kind="image",
    seed=3,
    sources=(SOURCE,),
    pack=SaidPack(
        check="squares",
        title="Squares",
        licence="CC0-1.0",
        intended_use="Tests.",
        limits="Two.",
        many=False,
    ),
    labels=(
        SaidLabel(code="dark", title="Dark", positive=True),
        SaidLabel(code="light", title="Light", positive=False),
    ),
    network=NetworkShape(stem=8, widths=(8, 8), depths=(1, 1), dropout=0.2),
    augment=Augment(background=0.0, scale_low=0.95, scale_high=1.05),
    schedule=Schedule(epochs=6, batch=8, rate=0.003, average=0.8, precision="float32"),
)


def pixels(*, told: bool = True, count: int = 40) -> Pixels:
    """Dark and light squares; where `told` is not, their labels are drawn by lot."""
    rng = np.random.default_rng(1)
    targets = np.arange(count) % 2
    level = np.where(targets == 1, 160, 90)[:, None, None, None]
    images = (level + rng.normal(0, 12, (count, 16, 16, 3))).clip(0, 255).astype(np.uint8)
    parts = Split(
        train=tuple(range(count - 16)), validation=tuple(range(count - 16, count)), test=()
    )
    return Pixels(
        source=SOURCE,
        dataset=Dataset("squares", "image", (), lambda path: path.encode()),
        images=images,
        targets=targets if told else rng.integers(0, 2, count),
        parts=parts,
    )


def recipe(**schedule: object) -> Recipe:
    return replace(RECIPE, schedule=replace(RECIPE.schedule, **schedule))  # type: ignore[arg-type]


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trained.network.state_dict().items()}


def die_at(state: Path, *, epoch: int, done: int, patience: int) -> None:
    """Learn until that step, and end as a machine does that loses its power."""

    def step(told: Step) -> None:
        if (told.epoch, told.done) == (epoch, done):
            os.kill(os.getpid(), signal.SIGKILL)

    given = pixels(told=not patience)
    fit(recipe(patience=patience, epochs=12), [given], state=state, step=step)


if __name__ == "__main__":
    die_at(
        Path(sys.argv[1]), epoch=int(sys.argv[2]), done=int(sys.argv[3]), patience=int(sys.argv[4])
    )
