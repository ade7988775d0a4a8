"""Pictures are learnt by the recipe's [network], or the way that AllDS2020 was."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from firstread.packs import Manifest
from firstread.train.allds2020.run import train_allds2020
from firstread.train.image.run import train_images
from firstread.train.kinds import KindOfTraining
from firstread.train.recipe import Recipe
from firstread.train.training import Training


def _train(wanted: Training) -> Path:
    return (train_images if wanted.recipe.allds2020 is None else train_allds2020)(wanted)


def _with_input(manifest: Manifest, recipe: Recipe) -> Manifest:
    return replace(manifest, input=recipe.sources[0].input)


KIND = KindOfTraining(train=_train, with_input=_with_input)
