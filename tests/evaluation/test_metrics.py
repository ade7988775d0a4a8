"""Our figures are those of scikit-learn, and intervals hold what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstread.evaluation import (
    auc,
    calibration_error,
    confusion,
    mean_of,
    of_labels,
    wilson,
)

sklearn = pytest.importorskip("sklearn.metrics")


def made(seed: int, *, n: int = 200, count: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truths = rng.integers(0, count, n)
    truths[:count] = np.arange(count)
    scores = rng.random((n, count)).round(1) + np.eye(count)[truths] * rng.random((n, 1))
    scores += 0.01
    return truths, scores / scores.sum(1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_figures_equal_those_of_scikit_learn(seed):
    truths, chances = made(seed)
    answers = chances.argmax(1)
    figures = of_labels(truths, chances, labels=list("abcd"))
    ours = confusion(truths, answers, count=4)
    assert ours.tolist() == sklearn.confusion_matrix(truths, answers).tolist()
    area = sklearn.roc_auc_score(truths, chances, multi_class="ovr", average="macro")
    assert mean_of([each.auc for each in figures]) == pytest.approx(area)
    f1 = sklearn.f1_score(truths, answers, average="macro")
    assert mean_of([each.f1 for each in figures]) == pytest.approx(f1)
    balanced = sklearn.balanced_accuracy_score(truths, answers)
    assert mean_of([each.sensitivity.value for each in figures]) == pytest.approx(balanced)
    precision = sklearn.precision_score(truths, answers, average=None)
    assert [each.ppv.value for each in figures] == pytest.approx(precision.tolist())
    negative = sklearn.recall_score(truths != 2, answers != 2)
    assert figures[2].specificity.value == pytest.approx(negative)


@given(hits=st.integers(0, 500), more=st.integers(0, 500))
def test_an_interval_holds_its_share_and_stays_within_nought_and_one(hits, more):
    share = wilson(hits, hits + more)
    if hits + more == 0:
        assert math.isnan(share.value)
    else:
        assert 0 <= share.low <= share.value + 5e-5
        assert share.value - 5e-5 <= share.high <= 1


def test_an_area_counts_ties_half_and_is_unknown_with_one_side_empty():
    assert auc(np.array([True, False]), np.array([0.5, 0.5])) == 0.5
    assert math.isnan(auc(np.array([True, True]), np.array([0.1, 0.2])))


def test_chances_that_hold_have_a_small_calibration_error():
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.5, 1, 20000)
    truths = (rng.random(20000) > sure).astype(np.int64)
    honest = np.stack([sure, 1 - sure], 1)
    boasting = np.stack([np.full(20000, 0.99), np.full(20000, 0.01)], 1)
    assert calibration_error(truths, honest) < 0.02
    assert calibration_error(truths, boasting) > 0.2
