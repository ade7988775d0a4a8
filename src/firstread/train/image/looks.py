"""How a pack's own pictures look, and from where on one is spoiled, fitted on copies of them that
are spoiled on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from firstread.imaging import spoil
from firstread.imaging.appearance import appearance
from firstread.imaging.quality import measure
from firstread.packs import Appearance, Spoiling
from firstread.runtime.looks import FAR, Looks

REFERENCE = "appearance.npy"
# A number that never varies in training must not count a rounding as far away.
SPREAD_FLOOR = 0.05
RIDGE = 0.02
# Three in a thousand of its own pictures may pass for spoiled. Where the two lie far apart, the
# limit is not at the farthest of its own but near where both are as likely.
SPOILED_SHARE = 0.997
LEAST_LEVEL = -1.0
FAR_SHARE = 0.99
SPOILED_AT_MOST = 1200

Rows = NDArray[np.float64]
Spoil = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]

_ORDERS = ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1))


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Prepared pictures [N, H, W, 3] that a pack is fitted on."""

    images: NDArray[np.uint8]
    fit: NDArray[np.bool_]
    """[N]: False where the label itself asks for a better picture."""
    colours: NDArray[np.float64] | None
    """[N]: how much colour each had, where the pack reads grey."""

    def rows(self) -> Rows:
        """What `firstread.imaging.appearance` says of each, [N, F]."""
        return np.stack([self.row(index, image) for index, image in enumerate(self.images)])

    def row(self, index: int, image: NDArray[np.uint8]) -> Rows:
        """The same of one of them that was changed since, [F]."""
        colour = None if self.colours is None else float(self.colours[index])
        return appearance(image, sharpness=measure(image).sharpness, colour=colour)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What pack.toml says of the appearance, its file's content, and the rows of `kept` [V, F]."""

    stated: Appearance
    looks: Looks
    kept: Rows


def fit_looks(learnt: Pictures, kept: Pictures, *, folder: Path, seed: int) -> Fitted:
    """Write the appearance of pictures `learnt`, with limits from pictures `kept` from training.

    `usual_neighbours` is 1 until somebody knows the distances to the neighbours.
    """
    rows, others = learnt.rows(), kept.rows()
    centre, scale = rows.mean(axis=0), rows.std(axis=0) + SPREAD_FLOOR

    def in_spreads(each: Rows) -> Rows:
        return np.asarray(np.clip((each - centre) / scale, -FAR, FAR))

    clean, levels_of = in_spreads(rows[learnt.fit]), in_spreads(others[kept.fit])
    weights, spoilings = [], []
    for number, (kind, way) in enumerate(_spoilings(grey=learnt.colours is not None).items()):
        copies = _spoiled_rows(learnt, way, rng=np.random.default_rng((seed, number)))
        each, bias = _discriminant(clean, in_spreads(copies))
        weights.append(each)
        spoilings.append(_limited(kind, levels_of @ each, bias=bias))
    directions = _whitening((rows - centre) / scale)
    reference = np.concatenate([[centre, scale], directions, weights]).astype(np.float32)
    np.save(folder / REFERENCE, reference)
    stated = Appearance(
        reference=REFERENCE, usual=1.0, usual_neighbours=1.0, spoiling=tuple(spoilings)
    )
    looks = Looks(reference, stated=stated)
    usual = float(np.quantile([looks.distance(row) for row in others], FAR_SHARE))
    return Fitted(
        stated=replace(stated, usual=round(max(usual, 1e-3), 4)), looks=looks, kept=others
    )


def _limited(kind: str, levels: Rows, *, bias: float) -> Spoiling:
    """The limit that the pack's own pictures seldom pass; `levels` are without the bias."""
    limit = max(float(np.quantile(levels, SPOILED_SHARE)), LEAST_LEVEL - bias)
    return Spoiling(
        kind=kind,  # type: ignore[arg-type]  # a literal type
        typical=round(min(float(np.median(levels)), limit - 1.0), 4),
        limit=round(limit, 4),
    )


def _whitening(standardised: Rows) -> Rows:
    """The directions [F, F] in which the rows vary by one each, and together as in a bell."""
    count = standardised.shape[1]
    together = np.cov(standardised.T) + RIDGE * np.eye(count)
    spreads, turned = np.linalg.eigh(together)
    return np.asarray(turned / np.sqrt(spreads))


def _discriminant(clean: Rows, spoiled: Rows) -> tuple[Rows, float]:
    """Weights [F] and bias of a logistic regression with a little ridge: positive is spoiled."""
    rows = np.concatenate([clean, spoiled])
    is_spoiled = np.repeat([0.0, 1.0], [len(clean), len(spoiled)])
    # Both count the same in all, however many there are of each.
    shares = np.repeat([0.5 / len(clean), 0.5 / len(spoiled)], [len(clean), len(spoiled)])

    def loss(point: Rows) -> tuple[float, Rows]:
        weights, bias = point[:-1], point[-1]
        levels = rows @ weights + bias
        value = float(shares @ (np.logaddexp(0.0, levels) - is_spoiled * levels))
        slope = shares * (expit(levels) - is_spoiled)
        gradient = np.append(rows.T @ slope + 2e-3 * weights, slope.sum())
        return value + 1e-3 * float(weights @ weights), gradient

    start = np.zeros(rows.shape[1] + 1)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(best.x[:-1]), float(best.x[-1])


def _spoiled_rows(learnt: Pictures, way: Spoil, *, rng: np.random.Generator) -> Rows:
    drawn = np.sort(rng.permutation(np.flatnonzero(learnt.fit))[:SPOILED_AT_MOST])
    return np.stack([learnt.row(int(i), way(learnt.images[int(i)], rng)) for i in drawn])


def _spoilings(*, grey: bool) -> dict[str, Spoil]:
    """What a person would notice, and no less: half the light, or a blur of a sixtieth."""
    ways: dict[str, Spoil] = {
        "blurred": lambda image, rng: spoil.blurred(image, share=rng.uniform(0.015, 0.03)),
        "dark": lambda image, rng: spoil.lit(image, times=rng.uniform(0.3, 0.55)),
        "bright": lambda image, rng: spoil.lit(image, times=rng.uniform(1.5, 2.0)),
        "grainy": lambda image, rng: spoil.grainy(
            image, levels=rng.uniform(15, 35), seed=int(rng.integers(2**31))
        ),
    }
    return ways if grey else ways | {"recoloured": _recoloured}


def _recoloured(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    match rng.integers(4):
        case 0:
            return spoil.hue_turned(image, degrees=rng.uniform(40, 320))
        case 1:
            return spoil.greyed(image)
        case 2:
            return spoil.channels_in(image, order=_ORDERS[rng.integers(len(_ORDERS))])
        case _:
            red, green, blue = rng.choice([0.7, 1.0, 1.2], 3) * rng.uniform(0.95, 1.05, 3)
            return spoil.tinted(image, gains=(red, green, blue))
