"""What a recipe says and its figures show, as the manifest of a pack states it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firstread.datasets import Dataset
from firstread.domain.errors import BadConfiguration
from firstread.packs import (
    About,
    Calibration,
    Conformal,
    DatasetUsed,
    Golden,
    Group,
    Label,
    Manifest,
    OperatingPoint,
    Provenance,
)
from firstread.runtime.calibrate import probabilities
from firstread.toml import narrowed
from firstread.train.pack.thresholds import fit_conformal, fit_operating_point, fit_temperature
from firstread.train.recipe import Recipe, SaidGroup, SaidLabel

SENSITIVITY = 0.95
"""What an operating point is fitted at where the recipe does not say."""


def labels_of(recipe: Recipe) -> tuple[Label, ...]:
    """The labels as the manifest states them.

    Raises BadConfiguration where they are not those of the recipe's first source, in its order.
    """
    if tuple(label.code for label in recipe.labels) != recipe.sources[0].labels:
        raise BadConfiguration(
            "The recipe's [[label]] tables must be those of its first [[source]], in the same "
            "order."
        )
    return tuple(narrowed(Label, label) for label in recipe.labels)


def groups_of(recipe: Recipe) -> tuple[Group, ...]:
    """The groups as the manifest states them.

    Raises BadConfiguration where one names no label of the recipe.
    """
    codes = recipe.sources[0].labels
    for group in recipe.groups:
        unknown = [code for code in group.labels if code not in codes]
        if unknown or not group.labels:
            raise BadConfiguration(
                f"The recipe's group '{group.code}' names "
                + (f"'{unknown[0]}', which is none of its labels" if unknown else "no labels")
                + f". The labels are: {', '.join(codes)}."
            )
    return tuple(narrowed(Group, group) for group in recipe.groups)


def points_of(
    recipe: Recipe, chances: NDArray[np.float64], truths: NDArray[np.int64], *, measured_on: str
) -> tuple[OperatingPoint, ...]:
    """The operating points of what raises an alarm: positive labels, then positive groups.

    Where a group speaks for a label, the label has one only if its table says `sensitivity`.
    """
    codes = recipe.sources[0].labels
    groups = [each for each in recipe.groups if each.positive]
    grouped = {code for each in groups for code in each.labels}
    alone = [
        each
        for each in recipe.labels
        if each.positive and (each.sensitivity is not None or each.code not in grouped)
    ]
    answers: list[tuple[SaidLabel | SaidGroup, tuple[str, ...]]] = [
        *((label, (label.code,)) for label in alone),
        *((group, group.labels) for group in groups),
    ]
    return tuple(
        fit_operating_point(
            chances,
            truths,
            indices=[codes.index(code) for code in among],
            label=each.code,
            sensitivity=SENSITIVITY if each.sensitivity is None else each.sensitivity,
            measured_on=measured_on,
        )
        for each, among in answers
    )


def stated(
    recipe: Recipe,
    logits: NDArray[np.float32],
    truths: NDArray[np.int64],
    *,
    measured_on: str,
    like: Conformal | None = None,
) -> Manifest:
    """The manifest with what follows from answers to samples that were not learnt from; its finding
    sets promise what those of `like` do.
    """
    labels = labels_of(recipe)
    calibration: Calibration = fit_temperature(logits, truths)
    chances = probabilities(logits, temperature=calibration.temperature)
    return Manifest(
        format=1,
        pack=narrowed(
            About, recipe.pack, name=recipe.name, version=recipe.version, kind=recipe.kind
        ),
        labels=labels,
        groups=groups_of(recipe),
        operating_points=points_of(recipe, chances, truths, measured_on=measured_on),
        calibration=calibration,
        conformal=fit_conformal(chances, truths, coverage=None if like is None else like.coverage),
        provenance=provenance(recipe, []),
        golden=(Golden(sample="golden/none", logits=(0.0,) * len(labels)),),
    )


def provenance(recipe: Recipe, used: Sequence[tuple[Dataset, str]]) -> Provenance:
    """What made the pack: recipe, software, and the datasets `used`, each with its licence."""
    return Provenance(
        datasets=tuple(
            DatasetUsed(name=one.name, sha256=one.sha256, n=len(one.items), licence=licence)
            for one, licence in used
        ),
        recipe=f"recipes/{Path(recipe.path).name}",
        seed=recipe.seed,
        trained_at=dt.datetime.now(dt.UTC).date().isoformat(),
        software={
            name: version(name) for name in ("torch", "onnx", "onnxscript", "numpy", "scipy")
        },
    )
