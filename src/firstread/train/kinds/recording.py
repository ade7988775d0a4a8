"""Recordings are learnt beat by beat."""

from __future__ import annotations

from msgspec.structs import replace

from firstread.packs import Manifest
from firstread.train.kinds import KindOfTraining
from firstread.train.recipe import Recipe
from firstread.train.recording.run import input_of, train_recordings


def _with_input(manifest: Manifest, recipe: Recipe) -> Manifest:
    return manifest if recipe.beats is None else replace(manifest, recording=input_of(recipe.beats))


KIND = KindOfTraining(train=train_recordings, with_input=_with_input)
