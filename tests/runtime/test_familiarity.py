"""Familiarity falls with distance, and equals what a plain calculation gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstread.domain.errors import PackRefused
from firstread.packs import FamiliarityReference
from firstread.runtime.familiarity import Neighbours

RNG = np.random.default_rng(7)


def _stated(on: str, *, count: int = 0) -> FamiliarityReference:
    return FamiliarityReference(
        on=on,  # type: ignore[arg-type]
        method="knn",
        k=5,
        reference="familiarity.npy",
        quantiles=tuple(np.linspace(0, 1, 101).tolist()),
        threshold=0.5,
        centre=(5.0,) * count,
        scale=(2.0,) * count,
    )


def test_the_distance_is_the_mean_cosine_distance_to_the_five_nearest() -> None:
    reference = RNG.normal(size=(50, 8))
    reference /= np.linalg.norm(reference, axis=1, keepdims=True)
    vector = RNG.normal(size=8)
    plain = np.sort(1 - reference @ (vector / np.linalg.norm(vector)))[:5].mean()
    neighbours = Neighbours(reference.astype(np.float16), stated=_stated("embedding"))
    assert neighbours.distance(vector) == pytest.approx(plain, abs=2e-3)


def test_a_missing_measurement_lies_at_the_centre() -> None:
    reference = RNG.normal(size=(50, 3))
    neighbours = Neighbours(reference, stated=_stated("measurements", count=3))
    vector = np.array([3.0, np.nan, 9.0], dtype=np.float32)
    plain = np.sort(np.linalg.norm(reference - [-1, 0, 2], axis=1))[:5].mean()
    assert neighbours.distance(vector) == pytest.approx(plain, abs=1e-3)


@given(st.floats(0, 2), st.floats(0, 2))
def test_farther_is_never_more_familiar(near: float, far: float) -> None:
    near, far = sorted((near, far))
    neighbours = Neighbours(np.zeros((9, 1)), stated=_stated("measurements", count=1))
    closer = neighbours.familiarity(np.array([5 + 2 * near]))
    farther = neighbours.familiarity(np.array([5 + 2 * far]))
    assert closer.score >= farther.score
    assert closer.familiar or not farther.familiar


def test_fewer_references_than_neighbours_is_no_error() -> None:
    neighbours = Neighbours(np.eye(2), stated=_stated("embedding"))
    assert neighbours.distance(np.array([1.0, 0.0])) == pytest.approx(0.5)


def test_a_reference_of_another_width_is_refused() -> None:
    neighbours = Neighbours(np.eye(3), stated=_stated("embedding"))
    with pytest.raises(PackRefused, match="3 columns"):
        neighbours.distance(np.array([1.0, 0.0]))
