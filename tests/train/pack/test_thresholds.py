"""What is fitted on validation samples holds on samples like them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from firstread.runtime.calibrate import finding_set, probabilities
from firstread.train.pack.thresholds import (
    fit_conformal,
    fit_operating_point,
    fit_temperature,
    promised_coverage,
)


def made(seed: int, n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are three times too sure."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(size=(n, 4)) * 2
    chances = probabilities(honest.astype(np.float32), temperature=1.0)
    truths = np.array([rng.choice(4, p=row) for row in chances], np.int64)
    return (3 * honest).astype(np.float32), truths


def test_the_temperature_undoes_overconfidence():
    assert fit_temperature(*made(1)).temperature == pytest.approx(3.0, rel=0.1)


def test_finding_sets_cover_what_they_promise_on_other_samples():
    logits, truths = made(2)
    other, other_truths = made(3)
    conformal = fit_conformal(probabilities(logits, temperature=3), truths, coverage=0.9)
    sets = [
        finding_set(range(4), row, conformal=conformal)  # type: ignore[arg-type]
        for row in probabilities(other, temperature=3)
    ]
    held = np.mean([truth in inside for truth, inside in zip(other_truths, sets, strict=True)])
    assert 0.87 < held < 0.94


def test_few_samples_promise_nothing_away():
    chances = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert fit_conformal(chances, np.array([0, 0]), coverage=0.95).threshold == 1.0


def test_an_operating_point_finds_what_it_must():
    logits, truths = made(4)
    chances = probabilities(logits, temperature=3)
    point = fit_operating_point(
        chances, truths, indices=[2], label="c", sensitivity=0.9, measured_on="validation"
    )
    assert point.sensitivity >= 0.9
    assert point.threshold <= 0.5
    said = chances[:, 2] >= point.threshold
    assert point.sensitivity == pytest.approx(said[truths == 2].mean(), abs=1e-4)
    assert point.specificity == pytest.approx((~said[truths != 2]).mean(), abs=1e-4)


def test_an_operating_point_of_a_group_is_that_of_the_sum_of_its_labels():
    logits, truths = made(4)
    chances = probabilities(logits, temperature=3)
    point = fit_operating_point(
        chances, truths, indices=[0, 2], label="ac", sensitivity=0.95, measured_on="validation"
    )
    said = chances[:, [0, 2]].sum(1) >= point.threshold
    true = np.isin(truths, [0, 2])
    assert point.sensitivity == pytest.approx(said[true].mean(), abs=1e-4)
    assert point.sensitivity >= 0.95
    assert point.specificity == pytest.approx((~said[~true]).mean(), abs=1e-4)


def test_sets_that_are_always_right_once_more_than_asked_promise_more():
    """A set holds its first answer always: of 98.5 % right answers nobody can promise 95 %."""
    rng = np.random.default_rng(5)
    truths = np.zeros(4000, np.int64)
    sure = rng.uniform(0.9, 1.0, 4000)
    sure[:60] = rng.uniform(0.0, 0.4, 60)
    chances = np.stack([sure, 1 - sure], 1)
    half = np.arange(4000) % 2 == 0
    conformal = fit_conformal(chances[half], truths[half])
    sets = [finding_set(range(2), row, conformal=conformal) for row in chances[~half]]  # type: ignore[arg-type]
    held = np.mean([0 in inside for inside in sets])
    assert conformal.coverage == 0.99
    assert abs(held - 0.99) < 0.01
    assert np.mean([len(inside) for inside in sets]) < 1.05


@pytest.mark.parametrize(("n", "promise"), [(40, 0.95), (99, 0.95), (250, 0.98), (5000, 0.995)])
def test_few_samples_promise_no_more_than_they_can_show(n: int, promise: float):
    chances = np.tile([0.99, 0.01], (n, 1))
    assert promised_coverage(chances, np.zeros(n, np.int64)) == promise
