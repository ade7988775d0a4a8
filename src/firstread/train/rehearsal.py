"""Whether the pack of a recipe could be written, asked before any time is spent on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from firstread.domain.errors import BadConfiguration, PackRefused
from firstread.packs import (
    Manifest,
    Measurement,
    MeasurementsModel,
    parse_manifest,
)
from firstread.packs.write import manifest_to_toml
from firstread.train.manifest import stated
from firstread.train.recipe import Recipe
from firstread.train.recipe_checks import said_of_call
from firstread.train.recordings import input_of


def rehearse(recipe: Recipe) -> None:
    """State the pack with made-up answers, and read it back as a clinic would.

    Raises BadConfiguration where [pack], [[label]], [[group]] or [[measurement]] say what no pack
    may.
    """
    for source in recipe.sources:
        if not source.licence.strip():
            raise BadConfiguration(
                f"The recipe's [[source]] '{source.name}' has no licence, and the pack must state "
                "it. Add the key licence."
            )
    truths = np.arange(len(recipe.labels))
    made_up = np.eye(len(truths), dtype=np.float32)
    manifest = stated(recipe, made_up, truths, measured_on="nothing")
    try:
        parse_manifest(manifest_to_toml(_with_its_kind(manifest, recipe)))
    except (PackRefused, TypeError) as why:
        said = str(why)
        if isinstance(why, TypeError):
            said = f"A table of it is not as it should be: {said_of_call(why)}"
        found = said.removesuffix(" Train or copy the pack again.").rstrip(".")
        raise BadConfiguration(
            f"The pack of this recipe would be refused. {found}. Correct the recipe."
        ) from why


def _with_its_kind(manifest: Manifest, recipe: Recipe) -> Manifest:
    if recipe.kind == "image":
        return replace(manifest, input=recipe.sources[0].input)
    if recipe.kind == "recording" and recipe.beats is not None:
        return replace(manifest, recording=input_of(recipe.beats))
    if recipe.kind == "measurements":
        return replace(
            manifest,
            measurements=tuple(Measurement(**each) for each in recipe.measurements),
            measurements_model=MeasurementsModel(bias=(0.0,) * len(recipe.labels)),
        )
    return manifest
