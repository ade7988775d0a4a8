"""A dataset's pictures as one array in memory, prepared the way the reader prepares them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset, Item, Split, named, split
from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.packs import Input
from firstread.runtime.prepare import Prepared, prepared_of
from firstread.train.recipe import Recipe, Source


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """All pictures of a source, uint8 [N, H, W, 3], with their labels as indices and their
    parts."""

    source: Source
    dataset: Dataset
    images: NDArray[np.uint8]
    targets: NDArray[np.int64]
    parts: Split
    colours: NDArray[np.float64] | None = None
    """How much colour each had, in grey levels, where the source is read in grey."""


def load(dataset: Dataset, source: Source, recipe: Recipe) -> Pixels:
    """Decode and prepare every picture, once.

    Raises BadDataset where a label of the folder is not among the recipe's, or a picture cannot be
    read.
    """
    dataset = named(dataset, source.labels)
    unknown = sorted(set(dataset.labels) - set(source.labels))
    if unknown:
        raise BadDataset(
            f"The folder {dataset.name} has the label '{unknown[0]}', which the recipe has not. "
            "Add it to the recipe's [[source]]."
        )
    index_of = {label: index for index, label in enumerate(source.labels)}
    given = source.input
    prepared = [_prepared(dataset, item, given) for item in dataset.items]
    images = np.stack([each.pixels for each in prepared])
    colours = [each.colour for each in prepared if each.colour is not None]
    targets = np.array([index_of[item.label] for item in dataset.items], np.int64)
    shares = recipe.shares
    parts = split(dataset, validation=shares.validation, test=shares.test, seed=recipe.seed)
    return Pixels(
        source=source,
        dataset=dataset,
        images=images,
        targets=targets,
        parts=parts,
        colours=np.array(colours) if colours else None,
    )


def _prepared(dataset: Dataset, item: Item, given: Input) -> Prepared:
    try:
        return prepared_of(dataset.data(item), given)
    except UnreadableSample as why:
        raise BadDataset(
            f"'{item.path}' cannot be learnt from: {why} Or take it out of the folder. `firstread "
            "datasets check` finds all that are like it."
        ) from why
