"""Rows of measurements are learnt by an additive model."""

from __future__ import annotations

from msgspec.structs import replace

from firstread.packs import Manifest, MeasurementsModel
from firstread.train.kinds import KindOfTraining
from firstread.train.measurements.run import train_measurements
from firstread.train.recipe import Recipe


def _with_input(manifest: Manifest, recipe: Recipe) -> Manifest:
    return replace(
        manifest,
        measurements=recipe.measurements,
        measurements_model=MeasurementsModel(bias=(0.0,) * len(recipe.labels)),
    )


KIND = KindOfTraining(train=train_measurements, with_input=_with_input)
