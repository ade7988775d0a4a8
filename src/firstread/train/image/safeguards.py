"""What lets a single read be trusted or not: familiarity, looks and limits of quality, fitted on
the pictures of a source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from firstread.imaging.quality import Quality, measure
from firstread.packs import Appearance, FamiliarityReference, Manifest, QualityLimits
from firstread.runtime.familiarity import looks_of, open_neighbours
from firstread.train.image.looks import Fitted, Pictures, fit_looks
from firstread.train.image.pixels import Pixels
from firstread.train.pack.familiarity import FAMILIAR_SHARE, from_embeddings
from firstread.train.pack.thresholds import quantiles

# Sharpness and light of all but two in a thousand training pictures: beyond them a picture is
# unfit.
QUALITY_SHARE = 0.002


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Places of a source's pictures [N], and what the network makes of each, [N, D]."""

    places: NDArray[np.int64]
    embeddings: NDArray[np.float32]


def trusted(
    manifest: Manifest,
    own: Pixels,
    *,
    learnt: Embedded,
    kept: Embedded,
    folder: Path,
    seed: int,
) -> Manifest:
    """The manifest with `[quality]`, `[appearance]` and `[familiarity]`; their files go into
    `folder`.

    `learnt` are pictures of the training part, `kept` those of the other two: neither their labels
    nor any result decides anything here, so that the test part may help to place the limits.
    """
    unfit = [label.code for label in manifest.labels if label.unfit]
    alone = from_embeddings(
        learnt.embeddings,
        kept.embeddings,
        targets=own.targets[learnt.places],
        folder=folder,
        seed=seed,
    )
    fitted = fit_looks(
        _pictures(own, learnt.places, unfit=unfit),
        _pictures(own, kept.places, unfit=unfit),
        folder=folder,
        seed=seed,
    )
    familiarity, appearance = _with_looks(alone, fitted, kept.embeddings, folder=folder)
    return replace(
        manifest,
        quality=_quality(own, unfit=unfit),
        appearance=appearance,
        familiarity=familiarity,
    )


def _pictures(own: Pixels, places: NDArray[np.int64], *, unfit: Sequence[str]) -> Pictures:
    grey = own.source.colour == "grey"
    colours = np.zeros(len(own.images)) if own.colours is None else own.colours
    return Pictures(
        images=own.images[places],
        fit=_is_fit(own, unfit=unfit)[places],
        colours=colours[places] if grey else None,
    )


def _is_fit(own: Pixels, *, unfit: Sequence[str]) -> NDArray[np.bool_]:
    codes = np.array(own.source.labels)
    return ~np.isin(codes[own.targets], unfit)


def _quality(own: Pixels, *, unfit: Sequence[str]) -> QualityLimits:
    """Limits from training pictures; those whose label asks for a better sample do not count."""
    fit = _is_fit(own, unfit=unfit)
    found = [measure(own.images[index]) for index in own.parts.train if fit[index]]

    def limit(read: Callable[[Quality], float], share: float) -> float:
        return round(float(np.quantile([read(one) for one in found], share)), 3)

    return QualityLimits(
        min_sharpness=limit(lambda one: one.sharpness, QUALITY_SHARE),
        min_brightness=limit(lambda one: one.brightness, QUALITY_SHARE),
        max_brightness=limit(lambda one: one.brightness, 1 - QUALITY_SHARE),
        min_contrast=limit(lambda one: one.contrast, QUALITY_SHARE),
    )


def _with_looks(
    alone: FamiliarityReference,
    fitted: Fitted,
    kept: NDArray[np.float32],
    *,
    folder: Path,
) -> tuple[FamiliarityReference, Appearance]:
    """The familiarity of embeddings together with that of the looks; `kept` [V, D] are embeddings
    of the pictures whose rows `fitted` holds.
    """
    appearance = replace(fitted.stated, usual_neighbours=max(alone.threshold, 1e-6))
    neighbours = open_neighbours(folder, stated=alone, appearance=appearance)
    marks = quantiles(
        np.array(
            [
                neighbours.farness(vector, looks=looks_of(row, fitted.looks, appearance=appearance))
                for vector, row in zip(kept, fitted.kept, strict=True)
            ]
        )
    )
    return replace(alone, quantiles=marks, threshold=marks[FAMILIAR_SHARE]), appearance
