"""The figures of a card are those that evaluating its pack gives."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.evaluation.ranking import area_with_interval, mean_area
from firstread.train.figures import results

LABELS = ("ill", "well")


def answers(seed: int, *, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truths = np.arange(n) % 2
    ill = np.clip(0.5 + (0.5 - truths) * 0.4 + rng.normal(0, 0.25, n), 0.01, 0.99)
    return truths, np.stack([ill, 1 - ill], 1)


def told(truths: np.ndarray, chances: np.ndarray, *, n: int | None = None) -> dict[str, object]:
    found = results(
        truths, chances, labels=LABELS, positive=("ill",), conformal=None, of="made up", n=n
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
    once = told(truths, chances)["AUC, mean over labels"]
    often = told(np.tile(truths, 10), np.tile(chances, (10, 1)), n=60)["AUC, mean over labels"]
    assert often.value == once.value
    assert often.high - often.low >= 0.95 * (once.high - once.low)
