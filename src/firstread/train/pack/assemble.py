"""A pack is written with its results and its card, and sealed, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from firstread.evaluation.resample import Clusters
from firstread.packs import Manifest, Result, seal, write_manifest
from firstread.packs.place import emptied, put_in_place
from firstread.train.pack.card import Story, write_card
from firstread.train.pack.figures import results
from firstread.train.recipe import Recipe


def sealed(
    folder: Path,
    recipe: Recipe,
    manifest: Manifest,
    truths: NDArray[np.int64],
    chances: NDArray[np.float64],
    *,
    of: str,
    n: int,
    clusters: Clusters | None,
    story: Story,
    ships: Manifest | None = None,
    more: Sequence[Result] = (),
) -> Path:
    """Write the pack with its results on a part that decided nothing of what `manifest` states.

    What ships instead is fitted on that part as well, for more samples place a threshold nearer
    to where it belongs; the results remain those of the thresholds that had not seen it.
    """
    positive = [label.code for label in manifest.labels if label.positive]
    found = results(
        truths,
        chances,
        labels=manifest.codes,
        positive=positive,
        conformal=manifest.conformal,
        of=of,
        n=n,
        clusters=clusters,
        groups=manifest.groups,
    )
    if ships is not None:
        manifest = structs.replace(
            manifest,
            calibration=ships.calibration,
            conformal=ships.conformal,
            operating_points=ships.operating_points,
        )
    manifest = structs.replace(manifest, results=(*found, *more))
    write_manifest(manifest, folder)
    told = replace(story, words=recipe.pack.words, larger=recipe.pack.larger)
    write_card(folder, manifest, story=told)
    seal(folder)
    return put_in_place(folder, folder.parent / recipe.name)


def fresh(out: Path, name: str) -> Path:
    """The empty folder in which the pack of that name is written."""
    # A name with a dot is on no shelf, so a half-written pack is never offered.
    return emptied(out / f".{name}.part")
