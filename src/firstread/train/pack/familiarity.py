"""The familiarity reference: a few hundred training samples, and how far validation samples lie
from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firstread.packs import FamiliarityReference
from firstread.runtime.familiarity import Neighbours
from firstread.train.pack.thresholds import quantiles

REFERENCE = "familiarity.npy"
# Beyond the farthest one in a hundred of its own validation samples a sample is unfamiliar.
FAMILIAR_SHARE = 99


def some_places(places: NDArray[np.int64], *, seed: int, at_most: int) -> NDArray[np.int64]:
    """At most so many of the places, drawn by the seed, in their order.

    >>> some_places(np.arange(100), seed=1, at_most=3).tolist()
    [8, 16, 48]
    """
    return np.sort(np.random.default_rng(seed).permutation(places)[:at_most])


def from_embeddings(
    learnt: NDArray[np.float32],
    kept: NDArray[np.float32],
    *,
    targets: NDArray[np.int64],
    folder: Path,
    seed: int,
    at_most: int = 1000,
    k: int = 5,
) -> FamiliarityReference:
    """Write the reference of embeddings; `learnt` [N, D] with their `targets`, `kept` [V, D] from
    validation.

    Every label has the same number of places, so that a rare one is not unfamiliar for being rare.
    """
    rng = np.random.default_rng(seed)
    codes = np.unique(targets)
    each = max(1, at_most // len(codes))
    chosen = np.concatenate(
        [np.sort(rng.permutation(np.flatnonzero(targets == code))[:each]) for code in codes]
    )
    units = learnt[chosen] / np.maximum(
        np.linalg.norm(learnt[chosen], axis=1, keepdims=True), 1e-12
    )
    reference = units.astype(np.float16)
    np.save(folder / REFERENCE, reference)
    return _stated("embedding", reference, kept, k=min(k, len(reference)))


def from_measurements(
    learnt: NDArray[np.float64],
    kept: NDArray[np.float64],
    *,
    centre: NDArray[np.float64],
    scale: NDArray[np.float64],
    folder: Path,
    seed: int,
    at_most: int = 1000,
    k: int = 5,
) -> FamiliarityReference:
    """Write the reference of measurement rows [N, F] (NaN where missing), standardised.

    Every row is moved a little at random, so that the pack holds no patient's row as it was
    measured.
    """
    rng = np.random.default_rng(seed)
    rows = np.nan_to_num((learnt - centre) / scale, nan=0.0)
    drawn = rows[np.sort(rng.permutation(len(rows))[:at_most])]
    blurred = drawn + rng.normal(0.0, 0.15, drawn.shape)
    reference = blurred.astype(np.float16)
    np.save(folder / REFERENCE, reference)
    return _stated("measurements", reference, kept, k=k, centre=centre, scale=scale)


def _stated(
    on: str,
    reference: NDArray[np.float16],
    kept: NDArray[np.floating],
    *,
    k: int,
    centre: NDArray[np.float64] | None = None,
    scale: NDArray[np.float64] | None = None,
) -> FamiliarityReference:
    def stated(marks: tuple[float, ...]) -> FamiliarityReference:
        return FamiliarityReference(
            on=on,  # type: ignore[arg-type]  # a literal type
            method="knn",
            k=k,
            reference=REFERENCE,
            quantiles=marks,
            threshold=marks[FAMILIAR_SHARE],
            centre=() if centre is None else tuple(round(float(v), 6) for v in centre),
            scale=() if scale is None else tuple(round(float(v), 6) for v in scale),
        )

    # Measured by the very code that will measure samples in use.
    neighbours = Neighbours(reference, stated=stated((0.0,) * 101))
    return stated(quantiles(np.array([neighbours.distance(vector) for vector in kept])))
