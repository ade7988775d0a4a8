"""An additive model and its rows become a sealed pack of kind measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from torch import nn

from firstread.datasets import Dataset
from firstread.evaluation.resample import clusters_of
from firstread.packs import MeasurementsModel
from firstread.runtime.calibrate import probabilities
from firstread.train.measurements.additive import AdditiveReader, Shapes
from firstread.train.measurements.golden import row_golden
from firstread.train.pack.assemble import fresh, sealed
from firstread.train.pack.card import Story
from firstread.train.pack.export import refuse_difference, write_onnx
from firstread.train.pack.familiarity import from_measurements
from firstread.train.pack.manifest import provenance, stated
from firstread.train.pack.plots import draw
from firstread.train.recipe import Recipe


def measurements_pack(
    recipe: Recipe,
    dataset: Dataset,
    shapes: Shapes,
    *,
    rows: NDArray[np.float64],
    truths: NDArray[np.int64],
    folded: NDArray[np.float64],
    out: Path,
) -> Path:
    """Write the pack of an additive model; `folded` [R, N] are its cross-validated log odds."""
    folder = fresh(out, recipe.name)
    export_measurements(AdditiveReader(shapes), folder / "model.onnx", count=rows.shape[1])
    measurements = recipe.measurements
    # Every row was answered once in each repeat, by a fit that had not seen it.
    odds = folded.reshape(-1)
    logits = np.stack([-odds / 2, odds / 2], 1).astype(np.float32)
    repeated = np.tile(truths, len(folded))
    manifest = stated(recipe, logits, repeated, measured_on="cross-validation")
    points = tuple(
        replace(each, measured_on=each.measured_on.replace(f"n = {len(odds)}", f"n = {len(rows)}"))
        for each in manifest.operating_points
    )
    centre, scale = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0) + 1e-6
    kept = np.random.default_rng(recipe.seed).permutation(len(rows))
    fifth = len(rows) // 5
    manifest = replace(
        manifest,
        operating_points=points,
        measurements=measurements,
        measurements_model=MeasurementsModel(
            bias=(round(-shapes.bias / 2, 7), round(shapes.bias / 2, 7))
        ),
        familiarity=from_measurements(
            rows[kept[fifth:]],
            rows[kept[:fifth]],
            centre=centre,
            scale=scale,
            folder=folder,
            seed=recipe.seed,
        ),
        golden=row_golden(
            folder,
            check=manifest.check,
            labels=recipe.sources[0].labels,
            measurements=measurements,
        ),
        provenance=provenance(recipe, [(dataset, recipe.sources[0].licence)]),
    )
    of = f"{len(folded)} times repeated cross-validation by patient"
    known = clusters_of([item.patient for item in dataset.items])
    chances = probabilities(logits, temperature=manifest.calibration.temperature)
    drawn = draw(folder, manifest, truths=repeated, chances=chances)
    return sealed(
        folder,
        recipe,
        manifest,
        repeated,
        chances,
        of=of,
        n=len(rows),
        clusters=np.tile(np.arange(len(rows)) if known is None else known, len(folded)),
        story=Story(pictures=drawn),
    )


def export_measurements(model: nn.Module, path: Path, *, count: int) -> None:
    """Write an additive model with the names and dynamic first axis that such a pack has."""
    write_onnx(
        model, torch.ones(2, count), path, given="measurements", outputs=("logits", "contributions")
    )
    rows = np.random.default_rng(0).uniform(1, 10, (3, count)).astype(np.float32)
    rows[0, 0] = np.nan
    refuse_difference(model, path, rows, kind="measurements")
