"""The additive model: each measurement adds its own, readable share to the answer, and nothing else
does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor, nn

from firstread.datasets import Dataset, groups
from firstread.train.recipe import Additive

Rows = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """One rising curve per measurement, straight between its knots; `slopes` and `centre` are [F,
    P]."""

    knots: tuple[float, ...]
    slopes: Rows
    centre: Rows
    bias: float

    def contributions(self, rows: Rows) -> Rows:
        """What each measurement adds to the log odds: [N, F] to [N, F]; a missing one adds
        nothing."""
        parts: Rows = ((ramps(rows, self.knots) - self.centre) * self.slopes).sum(2)
        return np.where(np.isnan(rows), 0.0, parts)

    def log_odds(self, rows: Rows) -> Rows:
        """Of the second label against the first: [N, F] to [N]."""
        odds: Rows = self.contributions(rows).sum(1) + self.bias
        return odds


def ramps(rows: Rows, knots: Sequence[float]) -> Rows:
    """How far each value has climbed between each pair of knots: [N, F] to [N, F, P]; NaN stays.

    >>> ramps(np.array([[4.0]]), (1.0, 3.0, 5.0, 8.0)).tolist()
    [[[2.0, 1.0, 0.0]]]
    """
    low = np.asarray(knots[:-1])
    reach = np.diff(np.asarray(knots))
    climbed: Rows = np.clip(rows[:, :, None] - low, 0.0, reach)
    return climbed


def fit_shapes(rows: Rows, truths: NDArray[np.int64], how: Additive) -> Shapes:
    """The most likely curves under a ridge on their slopes, none of which may fall.

    Every one of these scores means more malignant the higher it is; a curve that may not fall
    cannot follow noise downwards, and reads as a pathologist expects. `truths` are 0 or 1. With
    `balance` 1 both labels weigh the same in all, with 0 each row does.
    """
    climbed = ramps(rows, how.knots)
    centre = np.nanmean(climbed, axis=0)
    basis = np.nan_to_num(climbed - centre, nan=0.0).reshape(len(rows), -1)
    sign = np.where(truths == 1, 1.0, -1.0)
    share = np.where(truths == 1, truths.mean(), 1 - truths.mean())
    weight = (0.5 / share) ** how.balance

    def loss(values: Rows) -> tuple[float, Rows]:
        margin = sign * (basis @ values[1:] + values[0])
        total = float(
            (weight * np.logaddexp(0.0, -margin)).sum() + 0.5 * how.ridge * (values[1:] ** 2).sum()
        )
        pull = -sign * weight / (1.0 + np.exp(np.clip(margin, -500.0, 500.0)))
        slope = np.concatenate([[pull.sum()], basis.T @ pull + how.ridge * values[1:]])
        return total, slope

    start = np.zeros(1 + basis.shape[1])
    bounds = [(None, None)] + [(0.0, None)] * basis.shape[1]
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2000}
    )
    slopes = np.asarray(found.x[1:]).reshape(centre.shape)
    return Shapes(knots=tuple(how.knots), slopes=slopes, centre=centre, bias=float(found.x[0]))


def out_of_fold(
    dataset: Dataset, rows: Rows, truths: NDArray[np.int64], how: Additive, *, seed: int
) -> Rows:
    """Repeated cross-validation by patient: the log odds of each row from fits that never saw it,
    [R, N]."""
    together = groups(dataset)
    answers = np.zeros((how.repeats, len(rows)))
    for repeat in range(how.repeats):
        fold_of = _folds(together, truths, how.folds, seed=seed * 1000 + repeat)
        for fold in range(how.folds):
            kept = fold_of == fold
            shapes = fit_shapes(rows[~kept], truths[~kept], how)
            answers[repeat, kept] = shapes.log_odds(rows[kept])
    return answers


def _folds(
    together: Sequence[tuple[int, ...]], truths: NDArray[np.int64], count: int, *, seed: int
) -> NDArray[np.int64]:
    """Groups dealt out to folds like cards, one label after the other."""
    rng = np.random.default_rng(seed)
    fold_of = np.zeros(len(truths), np.int64)
    shuffled = [together[index] for index in rng.permutation(len(together))]
    for place, members in enumerate(sorted(shuffled, key=lambda one: truths[one[0]])):
        fold_of[list(members)] = place % count
    return fold_of


class AdditiveReader(nn.Module):
    """What a pack of measurements holds: `measurements` [N, F] to `logits` [N, 2], `contributions`
    [N, 2, F].

    Half of the log odds speaks for the second label and half against the first.
    """

    low: Tensor
    reach: Tensor
    slopes: Tensor
    offset: Tensor
    bias: Tensor

    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(shapes.knots[:-1], dtype=torch.float32))
        self.register_buffer("reach", torch.tensor(np.diff(shapes.knots), dtype=torch.float32))
        self.register_buffer("slopes", torch.tensor(shapes.slopes / 2, dtype=torch.float32))
        offset = (shapes.centre * shapes.slopes).sum(1) / 2
        self.register_buffer("offset", torch.tensor(offset, dtype=torch.float32))
        self.register_buffer(
            "bias", torch.tensor([-shapes.bias / 2, shapes.bias / 2], dtype=torch.float32)
        )

    def forward(self, measurements: Tensor) -> tuple[Tensor, Tensor]:
        missing = torch.isnan(measurements)
        known = torch.where(missing, torch.zeros_like(measurements), measurements)
        climbed = torch.minimum(torch.relu(known[:, :, None] - self.low), self.reach)
        parts = (climbed * self.slopes).sum(2) - self.offset
        parts = torch.where(missing, torch.zeros_like(parts), parts)
        contributions = torch.stack([-parts, parts], dim=1)
        return contributions.sum(2) + self.bias, contributions
