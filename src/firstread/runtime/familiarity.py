"""How far a sample lies from what the pack was measured on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import PackRefused
from firstread.domain.read import Familiarity
from firstread.packs import Appearance, FamiliarityReference
from firstread.runtime.looks import Looks


class Neighbours:
    """The mean distance to the k nearest reference samples (Sun et al., ICML 2022)."""

    def __init__(
        self,
        reference: NDArray[Any],
        *,
        stated: FamiliarityReference,
        appearance: Appearance | None = None,
    ) -> None:
        self._reference = np.ascontiguousarray(reference, dtype=np.float32)
        self._squares = np.einsum("md,md->m", self._reference, self._reference)
        self._stated = stated
        self._quantiles = np.asarray(stated.quantiles, dtype=np.float64)
        self._shares = np.linspace(1.0, 0.0, len(self._quantiles))
        self._usual = None if appearance is None else appearance.usual_neighbours

    def distance(self, vector: NDArray[Any]) -> float:
        """Of an embedding [D]: cosine distance. Of measurements [F]: Euclidean, standardised,
        a missing one (NaN) at the centre. Raises PackRefused where the vector has another length.
        """
        if vector.shape != self._reference.shape[1:]:
            raise PackRefused(
                f"{self._stated.reference} has {self._reference.shape[1]} columns where the pack "
                f"gives {len(vector)} numbers. Train or copy the pack again."
            )
        if self._stated.on == "embedding":
            length = float(np.linalg.norm(vector))
            unit = (vector / max(length, 1e-12)).astype(np.float32)
            distances = 1.0 - self._reference @ unit
        else:
            point = self._standardised(vector)
            squares = self._squares + point @ point - 2.0 * (self._reference @ point)
            distances = np.sqrt(np.maximum(squares, 0.0))
        k = min(self._stated.k, len(distances))
        return float(np.partition(distances, k - 1)[:k].mean())

    def familiarity(
        self, vector: NDArray[Any], *, looks: Mapping[str, float] | None = None
    ) -> Familiarity:
        """How familiar an embedding [D] or a row of measurements [F] is.

        `looks` are the distances in looks of the same picture, each as a multiple of what is usual,
        from `looks_of`: without them the pack has no `[appearance]`.
        """
        distance = self.farness(vector, looks=looks)
        return Familiarity(
            score=round(self.score(distance), 6),
            familiar=bool(distance <= self._stated.threshold),
        )

    def farness(self, vector: NDArray[Any], *, looks: Mapping[str, float] | None = None) -> float:
        """The distance that the quantiles are of: to the neighbours, or the worst of all."""
        distance = self.distance(vector)
        if looks is None or self._usual is None:
            return distance
        return max(distance / self._usual, *looks.values())

    def score(self, distance: float) -> float:
        """The share of validation samples that lie at least as far away.

        Beyond the last in a hundred it falls with the square of the distance instead, so that of
        two far samples the farther one is still the less familiar.
        """
        last = float(self._quantiles[-2])
        if distance <= last:
            return float(np.interp(distance, self._quantiles, self._shares))
        return float(self._shares[-2]) * (last / distance) ** 2

    def _standardised(self, vector: NDArray[Any]) -> NDArray[np.float32]:
        centre = np.asarray(self._stated.centre)
        point = (vector.astype(np.float64) - centre) / np.asarray(self._stated.scale)
        return np.asarray(np.nan_to_num(point, nan=0.0), dtype=np.float32)


def open_neighbours(
    pack: Path, *, stated: FamiliarityReference, appearance: Appearance | None = None
) -> Neighbours:
    """The reference of the pack folder; raises PackRefused where it is no plain array [M, D]."""
    try:
        # Pickle would run code of whoever made the pack.
        reference = np.load(pack / stated.reference, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        reference = None
    if not isinstance(reference, np.ndarray) or not _plain(reference):
        raise PackRefused(
            f"{stated.reference} of the pack '{pack.name}' is not an array of finite numbers. "
            "Train or copy the pack again."
        )
    return Neighbours(reference, stated=stated, appearance=appearance)


def embedding_length(pack: Path, *, stated: FamiliarityReference | None) -> int | None:
    """How many numbers an embedding of the pack has, from its reference's header alone.

    None where familiarity is not told by embeddings: then the network alone knows.
    """
    if stated is None or stated.on != "embedding":
        return None
    try:
        reference = np.load(pack / stated.reference, mmap_mode="r", allow_pickle=False)
        return int(reference.shape[1])
    except (OSError, ValueError, EOFError, AttributeError, IndexError):
        return None


def looks_of(row: NDArray[np.float64], looks: Looks, *, appearance: Appearance) -> dict[str, float]:
    """How far in looks a picture lies, each as a multiple of what is usual.

    `row` is what `firstread.imaging.appearance` says of it. Colours that are not the pack's make a
    picture unfamiliar rather than unfit: another laboratory's stain is no fault of the picture.
    """
    found = {"looks": looks.distance(row) / appearance.usual}
    recoloured = looks.spoiled(row).get("recoloured")
    return found if recoloured is None else found | {"recoloured": recoloured}


def _plain(reference: NDArray[Any]) -> bool:
    return (
        reference.ndim == 2
        and reference.dtype.kind == "f"
        and reference.size > 0
        and bool(np.isfinite(reference).all())
    )
