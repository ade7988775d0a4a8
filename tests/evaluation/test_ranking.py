"""Areas, curves and their intervals are those of scikit-learn, of definitions, and of print."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstread.evaluation.ranking import (
    Placements,
    area_with_interval,
    covariance,
    curve,
    mean_area,
    placements,
)

sklearn = pytest.importorskip("sklearn.metrics")
SEEDS = st.integers(0, 2**32 - 1)


def made(seed: int, *, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.4
    positive[:4] = [True, False, True, False]
    return positive, (rng.random(n) + 0.5 * positive).round(1)


def by_definition(one: np.ndarray, other: np.ndarray, positive: np.ndarray) -> float:
    """The covariance of two areas, pair by pair (DeLong et al., Biometrics 44:837, 1988)."""

    def parts(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        above, below = scores[positive][:, None], scores[~positive][None, :]
        wins = (above > below) + 0.5 * (above == below)
        return wins.mean(1), wins.mean(0)

    (a, b), (c, d) = parts(one), parts(other)
    return float(np.cov(a, c)[0, 1] / len(a) + np.cov(b, d)[0, 1] / len(b))


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS)
def test_the_fast_covariance_is_that_of_all_pairs(seed: int) -> None:
    positive, one = made(seed)
    other = made(seed + 1)[1] + 0.3 * positive
    first, second = placements(positive, one), placements(positive, other)
    assert first is not None
    assert second is not None
    assert first.area == pytest.approx(sklearn.roc_auc_score(positive, one))
    for a, b, scores, others in ((first, first, one, one), (first, second, one, other)):
        assert covariance(a, b, positive=positive, clusters=None) == pytest.approx(
            by_definition(scores, others, positive)
        )


def hanley_and_mcneil() -> tuple[np.ndarray, np.ndarray]:
    """58 normal and 51 abnormal scans rated 1 to 5 (Radiology 143:29, 1982, Table I)."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    ratings = np.repeat([*range(1, 6), *range(1, 6)], [*normal, *abnormal]).astype(float)
    return np.arange(109) >= 58, ratings


def test_the_area_of_hanley_and_mcneil_and_its_standard_error() -> None:
    positive, ratings = hanley_and_mcneil()
    found = placements(positive, ratings)
    assert found is not None
    # The paper: area 0.893. DeLong's standard error of it: 0.0307 (Stata, manual of roctab).
    assert found.area == pytest.approx(0.893, abs=5e-4)
    spread = covariance(found, found, positive=positive, clusters=None)
    assert math.sqrt(spread) == pytest.approx(0.0307, abs=5e-5)
    whole = area_with_interval(positive, ratings)
    assert whole.low < found.area < whole.high < 1


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS)
def test_curves_are_those_of_scikit_learn_with_any_weights(seed: int) -> None:
    positive, scores = made(seed)
    weights = np.random.default_rng(seed).integers(1, 4, (3, len(scores))).astype(float)
    found = curve(positive, scores, weights)
    for row, weight in enumerate(weights):
        area = sklearn.roc_auc_score(positive, scores, sample_weight=weight)
        assert found.area()[row] == pytest.approx(area)
        precision = sklearn.average_precision_score(positive, scores, sample_weight=weight)
        assert found.average_precision()[row] == pytest.approx(precision)
        spared, kept, _ = sklearn.roc_curve(
            positive, scores, sample_weight=weight, drop_intermediate=False
        )
        assert found.sensitivity_at(0.9)[row] == pytest.approx(kept[spared <= 0.1 + 1e-9].max())
        assert found.specificity_at(0.9)[row] == pytest.approx(1 - spared[kept >= 0.9 - 1e-9].min())


def test_patients_with_many_samples_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    ill = rng.random(30) < 0.5
    shift = rng.normal(0, 1, 30)
    who = np.repeat(np.arange(30), 10)
    positive, scores = ill[who], ill[who] * 1.0 + shift[who] + rng.normal(0, 0.1, 300)
    alone = area_with_interval(positive, scores)
    together = area_with_interval(positive, scores, clusters=who)
    assert together.value == alone.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_each_sample_a_patient_changes_little() -> None:
    positive, scores = made(5, n=200)
    alone = area_with_interval(positive, scores)
    each = area_with_interval(positive, scores, clusters=np.arange(200))
    assert each.low == pytest.approx(alone.low, abs=0.003)
    assert each.high == pytest.approx(alone.high, abs=0.003)


def test_the_interval_holds_the_true_area_as_often_as_it_says() -> None:
    true = 0.5 * math.erfc(-1.5 / 2)  # of two normals 1.5 apart
    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        positive = np.arange(80) < 30
        found = area_with_interval(positive, rng.normal(0, 1, 80) + 1.5 * positive)
        held += found.low <= true <= found.high
    assert 0.92 <= held / 300 <= 0.98


def test_a_mean_of_one_area_is_that_area() -> None:
    positive, scores = made(9, n=300)
    one, mean = area_with_interval(positive, scores), mean_area([(positive, scores)])
    assert mean.value == pytest.approx(one.value)
    assert (mean.low, mean.high) == pytest.approx((one.low, one.high), abs=2e-3)


def test_without_overlap_the_interval_still_leaves_room() -> None:
    positive = np.arange(30) < 10
    found = area_with_interval(positive, positive.astype(float))
    assert (found.value, found.low, found.high) == (1.0, 0.7225, 1.0)  # Wilson of 10 out of 10


def test_one_side_alone_has_no_area() -> None:
    assert placements(np.ones(3, bool), np.arange(3.0)) is None
    assert math.isnan(area_with_interval(np.ones(3, bool), np.arange(3.0)).value)
    assert math.isnan(mean_area([(np.ones(3, bool), np.arange(3.0))]).value)


def test_components_add_up_to_the_area() -> None:
    found = placements(*made(2))
    assert isinstance(found, Placements)
    assert found.of_negative.mean() == pytest.approx(found.area)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_a_curve_weighs_patients_as_it_weighs_their_samples(seed: int) -> None:
    positive, scores = made(seed)
    rng = np.random.default_rng(seed)
    who = np.concatenate([np.arange(5), rng.integers(0, 5, 55)])
    times = rng.integers(1, 4, (3, 5)).astype(float)
    by_patient = curve(positive, scores, times, clusters=who)
    by_sample = curve(positive, scores, times[:, who])
    assert by_patient.area() == pytest.approx(by_sample.area())
    assert by_patient.average_precision() == pytest.approx(by_sample.average_precision())
    assert by_patient.found == pytest.approx(by_sample.found)
