"""The overall figures are those of scikit-learn, of the whole set and of every resample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstread.evaluation.agreement import are_ordered, overall, terms_of

sklearn = pytest.importorskip("sklearn.metrics")

SEEDS = st.integers(0, 2**32 - 1)


def made(seed: int, *, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truths, chances and how often each sample is in one resample."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3 * count, 90))
    truths = rng.integers(0, count, n)
    truths[:count] = np.arange(count)
    chances = rng.dirichlet(np.ones(count), n) + 0.5 * np.eye(count)[truths] * rng.random((n, 1))
    times = rng.integers(0, 3, n).astype(float)
    times[:count] = 1
    return truths, chances / chances.sum(1, keepdims=True), times


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, count=st.integers(2, 6))
def test_every_figure_is_that_of_scikit_learn(seed: int, count: int) -> None:
    truths, chances, times = made(seed, count=count)
    sets = chances > 0.2
    terms = terms_of(truths, chances, sets=sets, ordered=True)
    found = overall(terms, np.stack([np.ones(len(truths)), times]))
    answers = chances.argmax(1)
    for row, weight in enumerate([np.ones(len(truths)), times]):
        given = {"sample_weight": weight}
        held = sets[np.arange(len(truths)), truths]
        expected = {
            "accuracy": sklearn.accuracy_score(truths, answers, **given),
            "balanced_accuracy": sklearn.recall_score(truths, answers, average="macro", **given),
            "f1": sklearn.f1_score(
                truths, answers, average="macro", labels=np.arange(count), **given
            ),
            "kappa": sklearn.cohen_kappa_score(truths, answers, **given),
            "quadratic_kappa": sklearn.cohen_kappa_score(
                truths, answers, weights="quadratic", labels=np.arange(count), **given
            ),
            "mcc": sklearn.matthews_corrcoef(truths, answers, **given),
            "log_loss": sklearn.log_loss(truths, chances, labels=np.arange(count), **given),
            "brier": np.average(((chances - np.eye(count)[truths]) ** 2).sum(1), weights=weight),
            "coverage": np.average(held, weights=weight),
            "mean_set_size": np.average(sets.sum(1), weights=weight),
        }
        for name, value in expected.items():
            if name == "mcc" and not np.isfinite(found[name][row]):
                continue  # scikit-learn says 0 where one label alone is ever said
            assert found[name][row] == pytest.approx(value, abs=1e-9), name


def test_the_brier_score_of_two_labels_is_twice_that_of_one() -> None:
    truths, chances, _ = made(7, count=2)
    found = overall(terms_of(truths, chances, sets=chances > 0.2))
    one = sklearn.brier_score_loss(truths, chances[:, 1])
    assert found["brier"][0] == pytest.approx(2 * one)


def test_a_calibration_error_is_what_the_bins_miss() -> None:
    # Ten answers with 0.75, of which five are right, and ten with 0.55, of which six are.
    said = np.repeat([0.75, 0.55], 10)
    right = np.array([1] * 5 + [0] * 5 + [1] * 6 + [0] * 4, bool)
    chances = np.stack([said, 1 - said], axis=1)
    truths = np.where(right, 0, 1)
    found = overall(terms_of(truths, chances, sets=chances > 0.1))
    assert found["ece"][0] == pytest.approx((0.25 + 0.05) / 2)
    twice = overall(terms_of(truths, chances, sets=chances > 0.1), np.full((1, 20), 2.0))
    assert {name: value[0] for name, value in twice.items()} == pytest.approx(
        {name: value[0] for name, value in found.items()},
        nan_ok=True,  # the coefficient of Matthews, as one label alone is ever said
    )


def test_a_label_that_a_resample_lacks_leaves_its_means() -> None:
    truths = np.array([0, 1, 2, 0])
    chances = np.eye(3)[[0, 1, 2, 1]] * 0.7 + 0.1
    found = overall(terms_of(truths, chances, sets=chances > 0.2), np.array([[1.0, 1, 0, 1]]))
    assert found["balanced_accuracy"][0] == pytest.approx((0.5 + 1) / 2)


def test_grades_are_ordered_and_names_are_not() -> None:
    assert are_ordered(["grade-0", "grade-1", "grade-2", "grade-3", "grade-4"])
    assert not are_ordered(["grade-0", "grade-2", "grade-1"])
    assert not are_ordered(["grade-0", "class-1", "class-2"])
    assert not are_ordered(["neutrophil", "platelet", "ig"])


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_weighing_patients_is_weighing_each_of_their_samples(seed: int) -> None:
    truths, chances, _ = made(seed, count=3)
    sets = chances > 0.2
    rng = np.random.default_rng(seed)
    who = np.concatenate([np.arange(4), rng.integers(0, 4, len(truths) - 4)])
    times = rng.integers(1, 4, (2, 4)).astype(float)
    by_patient = overall(terms_of(truths, chances, sets=sets, clusters=who), times)
    by_sample = overall(terms_of(truths, chances, sets=sets), times[:, who])
    for name, value in by_sample.items():
        assert by_patient[name] == pytest.approx(value, nan_ok=True), name
