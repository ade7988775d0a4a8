"""What one training is asked for, and whom it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from firstread.datasets import Dataset
from firstread.domain.errors import BadDataset
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

    def to_learn_from(self) -> Dataset:
        """The first source without what was given for validation or test.

        For learning that is measured by cross-validation: no network may see those samples. Raises
        BadDataset where no other is left.
        """
        whole = self.datasets[0]
        kept = tuple(item for item in whole.items if item.part not in ("validation", "test"))
        if len(kept) == len(whole.items):
            return whole
        if not kept:
            raise BadDataset(
                f"All samples of {whole.name} are of its validation and test parts. Give some for "
                "training."
            )
        self.say(
            f"{len(whole.items) - len(kept)} samples of {whole.name} are of its validation and "
            "test parts. Nothing is learnt from them: measure the pack on them afterwards."
        )
        return replace(whole, items=kept)
