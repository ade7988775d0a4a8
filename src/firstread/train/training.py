"""What one training is asked for, and whom it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firstread.datasets import Dataset
from firstread.train.history import Progress, Step
from firstread.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Training:
    """A recipe with its samples, a dataset for each source, and where its pack goes.

    `work` keeps checkpoints; `device` is auto, cpu or cuda; `seeds` is how often a recipe with
    [allds2020] is trained. `report` is told of each epoch, `step` of each batch, `say` the rest.
    """

    recipe: Recipe
    datasets: tuple[Dataset, ...]
    out: Path
    work: Path
    device: str
    seeds: int
    report: Callable[[Progress], None]
    step: Callable[[Step], None]
    say: Callable[[str], None]

    @property
    def fits(self) -> bool:
        """Whether all samples are of the recipe's kind."""
        return all(dataset.kind == self.recipe.kind for dataset in self.datasets)
