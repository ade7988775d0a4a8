"""The figures of a card are those that evaluating its pack gives."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.evaluation.ranking import area_with_interval, mean_area
from firstread.packs import Result
from firstread.train.pack.figures import results

LABELS = ("ill", "well")


def answers(seed: int, *, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truths = np.arange(n) % 2
    ill = np.clip(0.5 + (0.5 - truths) * 0.4 + rng.normal(0, 0.25, n), 0.01, 0.99)
    return truths, np.stack([ill, 1 - ill], 1)


def told(truths: np.ndarray, chances: np.ndarray, **more: object) -> dict[str, Result]:
    found = results(
        truths, chances, labels=LABELS, positive=("ill",), conformal=None, of="made up", **more
    )
    return {each.metric: each for each in found}


def test_an_area_has_the_interval_that_evaluate_gives_it():
    truths, chances = answers(1, n=120)
    found = told(truths, chances)
    sides = [(truths == place, chances[:, place]) for place in (0, 1)]
    evaluated = {
        "AUC, mean over labels": mean_area(sides),
        "AUC of ill against the rest": area_with_interval(*sides[0]),
    }
    for metric, area in evaluated.items():
        assert found[metric].value == pytest.approx(area.value, abs=1e-4)
        assert found[metric].low == pytest.approx(area.low, abs=1e-4)
        assert found[metric].high == pytest.approx(area.high, abs=1e-4)


def test_answers_that_are_repeated_make_no_interval_narrower():
    truths, chances = answers(2, n=60)
    once = told(truths, chances)
    often = told(
        np.tile(truths, 10), np.tile(chances, (10, 1)), clusters=np.tile(np.arange(60), 10), n=60
    )
    for metric in ("accuracy", "AUC, mean over labels", "balanced accuracy", "sensitivity of ill"):
        one, many = once[metric], often[metric]
        assert many.n == 60
        assert many.value == pytest.approx(one.value, abs=1e-4)
        assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.15)


def test_samples_of_few_patients_say_less():
    truths, chances = answers(3, n=120)
    # A patient's samples are right or wrong together, as they are where people differ.
    order = np.argsort(np.where(truths == 0, chances[:, 1], chances[:, 0]))
    few = np.zeros(120, np.int64)
    few[order] = np.arange(120) // 10
    alone, together = told(truths, chances), told(truths, chances, clusters=few)
    for metric in ("accuracy", "balanced accuracy"):
        one, other = alone[metric], together[metric]
        assert other.value == one.value
        assert other.high - other.low > 1.5 * (one.high - one.low)
