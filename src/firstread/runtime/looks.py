"""Whether a picture looks like the pack's own, and whether it came out spoiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import PackRefused
from firstread.packs import Appearance

FAR = 8.0
"""No single number counts as more than so many spreads when spoiling is weighed: a picture of
something else must not come out as any spoiling whatever."""


class Looks:
    """What a pack's own pictures look like: a centre, how they vary, and weights of spoiling.

    `reference` is [2 + F + S, F]: centre, scale, F directions, and S rows of weights.
    """

    def __init__(self, reference: NDArray[Any], *, stated: Appearance) -> None:
        count = reference.shape[1]
        if len(reference) != 2 + count + len(stated.spoiling):
            raise _refusal(stated.reference)
        numbers = np.ascontiguousarray(reference, dtype=np.float64)
        self._stated = stated
        self._centre, self._scale = numbers[0], numbers[1]
        self._directions = numbers[2 : 2 + count]
        self._weights = numbers[2 + count :]

    def standardised(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        """A row of `firstread.imaging.appearance`, [F], in spreads from the centre.

        Raises PackRefused where the row has another length.
        """
        if row.shape != self._centre.shape:
            raise _refusal(self._stated.reference)
        return np.asarray((row - self._centre) / self._scale)

    def distance(self, row: NDArray[np.float64]) -> float:
        """The Mahalanobis distance from the pack's own pictures (Lee et al., NeurIPS 2018)."""
        return float(np.linalg.norm(self.standardised(row) @ self._directions))

    def spoiled(self, row: NDArray[np.float64]) -> dict[str, float]:
        """Of each kind of spoiling how far the picture is on its way: 0 is typical, above 1 is
        spoiled."""
        levels = self._weights @ np.clip(self.standardised(row), -FAR, FAR)
        return {
            each.kind: (float(level) - each.typical) / (each.limit - each.typical)
            for each, level in zip(self._stated.spoiling, levels, strict=True)
        }


def open_looks(pack: Path, *, stated: Appearance) -> Looks:
    """The appearance of the pack folder; raises PackRefused where its file is no such array."""
    try:
        # Pickle would run code of whoever made the pack.
        reference = np.load(pack / stated.reference, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise _refusal(stated.reference) from None
    if not isinstance(reference, np.ndarray) or not _plain(reference):
        raise _refusal(stated.reference)
    return Looks(reference, stated=stated)


def _plain(reference: NDArray[Any]) -> bool:
    return (
        reference.ndim == 2
        and reference.dtype.kind == "f"
        and len(reference) > 2
        and bool(np.isfinite(reference).all())
        and bool((reference[1] > 0).all())
    )


def _refusal(file: str) -> PackRefused:
    return PackRefused(
        f"{file} does not hold what pack.toml says of the appearance. Train or copy the pack again."
    )
