"""What is said with a probability comes true as often; and what acting on it gains."""

from __future__ import annotations

import math

import numpy as np
import pytest

from firstread.evaluation.calibration import line, reliability
from firstread.evaluation.decision import benefit

linear = pytest.importorskip("sklearn.linear_model")


def made(seed: int, *, n: int, bend: float) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes whose log odds are `bend` times those that are said."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 2, n)
    true = rng.random(n) < 1 / (1 + np.exp(-bend * odds))
    return true, 1 / (1 + np.exp(-odds))


def test_too_extreme_chances_have_a_slope_below_one():
    held = 0
    for seed in range(100):
        found = line(*made(seed, n=500, bend=0.5))
        held += found.slope.low < 0.5 < found.slope.high
        assert found.slope.high < 1
    assert held >= 90


def test_the_slope_is_that_of_scikit_learn():
    true, said = made(2, n=300, bend=1.3)
    odds = np.log(said / (1 - said))[:, np.newaxis]
    fitted = linear.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(odds, true)
    assert line(true, said).slope.value == pytest.approx(fitted.coef_[0, 0], rel=1e-4)


def test_what_is_commoner_than_said_lies_above_nought():
    true, said = made(3, n=4000, bend=1)
    assert line(true, np.clip(said * 0.6, 0, 1)).intercept.low > 0


def test_patients_with_many_samples_widen_the_slope():
    rng = np.random.default_rng(4)
    who = np.repeat(np.arange(60), 20)
    said = np.repeat(rng.uniform(0.1, 0.9, 60), 20)
    true = np.repeat(rng.random(60) < said[::20], 20)
    alone, together = line(true, said), line(true, said, clusters=who)
    assert together.slope.value == alone.slope.value
    assert together.slope.high - together.slope.low > 3 * (alone.slope.high - alone.slope.low)


def test_a_line_through_sides_that_do_not_overlap_is_not_known():
    said = np.array([0.1, 0.2, 0.8, 0.9])
    assert math.isnan(line(said > 0.5, said).slope.value)
    assert math.isnan(line(np.ones(4, bool), said).intercept.value)
    assert math.isnan(line(np.array([True, False]), np.array([0.5, 0.5])).slope.value)


def test_bins_count_every_sample_once_and_a_certain_one_too():
    true, said = made(5, n=500, bend=1)
    said[:2] = [0.0, 1.0]
    bins = reliability(true, said)
    assert sum(each.n for each in bins) == 500
    for each in bins:
        assert each.low <= each.said <= each.high
        assert each.observed.low <= each.observed.value <= each.observed.high


def test_net_benefit_is_that_of_vickers_and_elkin():
    """n, true and false positives at 10 %: NB = TP/n - FP/n * 0.1/0.9 (Med Decis Making 26:565)."""
    true = np.array([True] * 20 + [False] * 80)
    said = np.concatenate([np.full(18, 0.5), np.full(2, 0.05), np.full(27, 0.2), np.full(53, 0.01)])
    found = benefit(true, said, thresholds=(0.1, 0.3))
    assert found.of_pack.tolist() == pytest.approx([0.18 - 0.27 / 9, 0.18])
    assert found.of_all.tolist() == pytest.approx([0.2 - 0.8 / 9, 0.2 - 0.8 * 3 / 7])


def test_a_pack_helps_between_its_thresholds():
    true = np.array([True] * 10 + [False] * 10)
    said = np.where(true, 0.7, 0.3)
    useful = benefit(true, said).useful()
    assert useful == (0.31, 0.7)  # below, acting on everyone is the same
    assert benefit(true, np.full(20, 0.5)).useful() is None
