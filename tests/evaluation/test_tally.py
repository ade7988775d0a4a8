"""Answers against truths: what is counted, and what follows from the counts."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstread.datasets.truth import KnownLabels
from firstread.evaluation import auc
from firstread.evaluation.tally import Positive, Tally, positive_of

CODES = ("blast", "monocyte", "neutrophil")
KNOWN = KnownLabels(CODES, positive=["blast"])


def _answer(label: str, *, chance: float = 0.9, alarms: tuple[str, ...] = ()) -> dict[str, Any]:
    others = [code for code in CODES if code != label]
    findings = [(label, chance), *((other, (1 - chance) / 2) for other in others)]
    return {
        "label": label,
        "findings": [{"label": code, "probability": share} for code, share in findings],
        "alarms": list(alarms),
        "unfit": None,
    }


def _tally() -> Tally:
    return Tally(positive_of((), codes=CODES, alarmed=["blast"]))


@pytest.mark.parametrize(
    ("answer", "truth", "outcome"),
    [
        (_answer("blast", alarms=("blast",)), "blast", "true positive"),
        (_answer("neutrophil", alarms=("blast",)), "monocyte", "false positive"),
        (_answer("neutrophil"), "monocyte", "true negative"),
        (_answer("blast"), "blast", "false negative"),
        (_answer("blast", alarms=("blast",)), "1", "true positive"),
        (_answer("neutrophil"), "1", "false negative"),
    ],
)
def test_the_alarm_decides_what_is_positive(
    answer: dict[str, Any], truth: str, outcome: str
) -> None:
    assert _tally().add(answer, KNOWN.truth(truth)) == outcome


def test_the_figures_follow_from_the_counts() -> None:
    tally = _tally()
    for count, answer, truth in (
        (3, _answer("blast", alarms=("blast",)), "blast"),
        (1, _answer("blast", alarms=("blast",)), "monocyte"),
        (5, _answer("neutrophil"), "neutrophil"),
        (1, _answer("neutrophil"), "blast"),
    ):
        for _ in range(count):
            tally.add(answer, KNOWN.truth(truth))
    tally.add({"error": "This is no picture."}, KNOWN.truth("blast"))
    tally.add(_answer("blast"), None)
    found = tally.summary()
    assert (found.true_positives, found.false_positives) == (3, 1)
    assert (found.true_negatives, found.false_negatives) == (5, 1)
    assert (found.n, found.unread, found.unlabelled) == (10, 1, 1)
    assert found.accuracy.value == 0.8
    assert found.recall.value == 0.75
    assert found.precision.value == 0.75
    assert round(found.specificity.value, 6) == round(5 / 6, 6)
    assert (found.labels_right.value, found.labels_n) == (0.8, 10)
    assert found.as_dict()["recall"] == {"value": 0.75, "low": 0.3006, "high": 0.9544}


def test_labels_that_were_asked_for_count_by_being_the_most_probable() -> None:
    positive = positive_of(("monocyte", "blast"), codes=CODES, alarmed=["blast"])
    assert positive.labels == ("blast", "monocyte")
    tally = Tally(positive)
    known = KnownLabels(CODES, positive=positive.labels)
    assert tally.add(_answer("monocyte"), known.truth("monocyte")) == "true positive"
    assert tally.add(_answer("blast"), known.truth("neutrophil")) == "true negative"
    assert "monocyte as the most probable label" in str(positive)
    with pytest.raises(KeyError, match="platelet"):
        positive_of(("platelet",), codes=CODES, alarmed=[])


def test_a_pack_without_positive_labels_is_right_or_wrong() -> None:
    tally = Tally(positive_of((), codes=CODES, alarmed=[]))
    known = KnownLabels(CODES, positive=[])
    assert known.truth("1") is None
    assert tally.add(_answer("blast"), known.truth("blast")) == "right"
    assert tally.add(_answer("blast"), known.truth("monocyte")) == "wrong"
    found = tally.summary()
    assert (found.n, found.true_positives, found.auc, found.accuracy) == (2, None, None, None)
    assert found.labels_right.value == 0.5


def test_nothing_to_compare_gives_no_number() -> None:
    tally = _tally()
    assert not tally.compared
    found = tally.summary()
    assert math.isnan(found.auc)
    assert found.as_dict()["auc"] is None
    assert found.as_dict()["recall"]["value"] is None


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=40))
def test_every_comparison_falls_into_one_of_four_and_the_area_is_that_of_all(
    samples: list[tuple[bool, float]],
) -> None:
    import numpy as np

    tally = Tally(Positive(labels=("blast",), alarmed=frozenset({"blast"})))
    for truth, chance in samples:
        answer = _answer("blast", chance=chance, alarms=("blast",) if chance >= 0.4 else ())
        tally.add(answer, KNOWN.side(positive=truth))
    found = tally.summary()
    counts = (
        found.true_positives, found.false_positives, found.true_negatives, found.false_negatives
    )  # fmt: skip
    assert sum(each or 0 for each in counts) == len(samples) == found.n
    area = auc(np.array([t for t, _ in samples], bool), np.array([c for _, c in samples], float))
    assert found.auc == area or (math.isnan(area) and math.isnan(found.auc or 0))
