"""Rows of measurements and a recipe with [additive] become a pack."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from firstread.datasets import measured_as
from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.train.measurements.additive import fit_shapes, out_of_fold
from firstread.train.measurements.assemble import measurements_pack
from firstread.train.training import Training


def train_measurements(wanted: Training) -> Path:
    """Train a recipe of kind measurements, and write its pack; the pack's folder.

    Raises BadConfiguration where the recipe has no [additive], BadDataset where labels or columns
    are not the recipe's.
    """
    recipe = wanted.recipe
    if recipe.additive is None or not wanted.fits:
        raise BadConfiguration(
            f"The recipe {recipe.name} needs an [additive] table and a folder with "
            "measurements.csv. Add the one, or name the other."
        )
    dataset = wanted.to_learn_from()
    codes = recipe.sources[0].labels
    if len(codes) != 2 or set(dataset.labels) - set(codes):
        raise BadDataset(
            f"The additive model tells two labels apart; the recipe has {', '.join(codes)}, and "
            f"the folder {', '.join(dataset.labels)}. Name a folder with the recipe's labels."
        )
    names = [each.code for each in recipe.measurements]
    taken = measured_as(dataset, recipe)
    for told in taken.told:
        wanted.say(told)
    table = [dict(item.measurements) for item in taken.items]
    missing = [name for name in names if name not in table[0]]
    if missing:
        raise BadDataset(
            f"measurements.csv has no column '{missing[0]}', which the recipe names. Add it, or "
            "leave it out of the recipe."
        )
    rows = np.array([[row[name] for name in names] for row in table], dtype=np.float64)
    truths = np.array([codes.index(item.label) for item in dataset.items], np.int64)
    wanted.say(f"{recipe.additive.repeats} times {recipe.additive.folds}-fold cross-validation")
    folded = out_of_fold(dataset, rows, truths, recipe.additive, seed=recipe.seed)
    shapes = fit_shapes(rows, truths, recipe.additive)
    wanted.say("Writing the pack")
    return measurements_pack(
        recipe, dataset, shapes, rows=rows, truths=truths, folded=folded, out=wanted.out
    )
