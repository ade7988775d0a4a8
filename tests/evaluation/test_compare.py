"""Two packs on the same samples: the counts are those of print, and the sentence says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firstread.datasets import Item
from firstread.domain.errors import BadDataset
from firstread.evaluation import Answers
from firstread.evaluation.compare import area_difference, compare, mcnemar

CODES = ("ill", "well")


def answers(chances: np.ndarray, truths: np.ndarray, *, patients: list[str] | None = None):
    n = len(truths)
    return Answers(
        codes=CODES,
        truths=truths,
        chances=np.stack([chances, 1 - chances], axis=1),
        sets=np.stack([chances >= 0.2, chances <= 0.8], axis=1),
        groups={},
        alarms={"ill": chances >= 0.3},
        familiarity=np.ones(n),
        unfamiliar=np.zeros(n, bool),
        unfit=np.zeros(n, bool),
        samples=tuple(
            Item(path=f"{i}.png", label=CODES[t], patient=patients[i] if patients else "")
            for i, t in enumerate(truths)
        ),
        ms=np.ones(n),
    )


def made(seed: int, *, n: int, sharp: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truths = np.arange(n) % 2
    return np.clip(0.5 + (0.5 - truths) * sharp + rng.normal(0, 0.25, n), 0.01, 0.99), truths


def only(first: int, second: int, *, both: int = 0) -> tuple[np.ndarray, np.ndarray]:
    one = np.array([True] * first + [False] * second + [True] * both)
    return one, np.array([False] * first + [True] * second + [True] * both)


def test_mcnemars_test_is_that_of_fagerland():
    """Fagerland et al., BMC Med Res Methodol 13:91, 2013, Table 1: airways of 21 children."""
    found = mcnemar(*only(1, 7, both=13))
    assert (found.only_first, found.only_second) == (1, 7)
    assert found.exact == pytest.approx(0.070, abs=5e-4)
    assert found.mid == pytest.approx(0.039, abs=5e-4)
    assert found.p == found.mid


def test_with_one_sample_a_patient_durkalskis_test_is_mcnemars():
    one, other = only(10, 24, both=40)
    found = mcnemar(one, other, clusters=np.arange(74))
    # The plain test's chi-square is (24 - 10)^2 / 34 = 5.765, of which p = 0.0164.
    assert found.by_patient == pytest.approx(0.01635, abs=5e-5)
    assert found.p == found.by_patient


def test_one_patients_samples_do_not_prove_a_difference():
    one, other = only(0, 20)
    assert mcnemar(one, other).mid < 0.001
    assert mcnemar(one, other, clusters=np.zeros(20, np.int64)).p > 0.3


def test_equal_packs_are_called_equal():
    chances, truths = made(1, n=60, sharp=0.6)
    found = compare(answers(chances, truths), answers(chances, truths), draws=100)
    assert found.mcnemar.p == 1.0
    assert found.differing == ()
    assert found.areas["ill"].p == 1.0
    assert found.sentence("a 1", "b 1") == (
        "a 1 and b 1 are right about the same samples, on n = 60 samples."
    )


def test_a_better_pack_is_named_with_points_and_probability():
    (weak, truths), (strong, _) = made(1, n=400, sharp=0.2), made(2, n=400, sharp=0.8)
    found = compare(answers(weak, truths), answers(strong, truths), draws=300)
    gap = found.differences["accuracy"]
    assert gap.low > 0
    said = found.sentence("old 1.0.0", "new 2.0.0")
    assert said.startswith(f"new 2.0.0 is better by {gap.value * 100:.1f} points (+")
    assert "p < 0.001, on n = 400 samples" in said
    back = compare(answers(strong, truths), answers(weak, truths), draws=300)
    assert back.differences["accuracy"].value == pytest.approx(-gap.value)
    assert back.sentence("new 2.0.0", "old 1.0.0").startswith("new 2.0.0 is better by")
    assert found.areas["ill"].p < 0.001
    assert found.areas["ill"].difference.value == pytest.approx(-back.areas["ill"].difference.value)


def test_a_difference_by_chance_is_not_called_one():
    (one, truths), (other, _) = made(3, n=40, sharp=0.5), made(4, n=40, sharp=0.5)
    found = compare(answers(one, truths), answers(other, truths), draws=300)
    assert found.sentence("a", "b").startswith("No difference is shown on n = 40 samples: b reads")


def test_what_only_one_reads_right_is_listed_surest_mistake_first():
    truths = np.array([0, 0, 1, 1])
    one = np.array([0.9, 0.4, 0.3, 0.45])
    other = np.array([0.2, 0.6, 0.3, 0.99])
    found = compare(answers(one, truths), answers(other, truths), draws=50)
    assert [each.path for each in found.differing] == ["3.png", "0.png", "1.png"]
    assert (found.differing[0].truth, found.differing[0].second) == ("well", "ill")
    assert (found.mcnemar.only_first, found.mcnemar.only_second) == (2, 1)


def test_samples_and_labels_are_matched_by_name():
    chances, truths = made(5, n=50, sharp=0.6)
    first = answers(chances, truths)
    turned = replace(
        first.only(np.arange(50) < 45),
        codes=CODES[::-1],
        truths=1 - truths[:45],
        chances=first.chances[:45, ::-1],
        sets=first.sets[:45, ::-1],
    )
    found = compare(first, turned, draws=50)
    assert found.n == 45
    assert found.differing == ()


def test_packs_that_know_other_labels_are_refused():
    chances, truths = made(6, n=20, sharp=0.6)
    other = replace(answers(chances, truths), codes=("ill", "healthy"))
    with pytest.raises(BadDataset, match="only one of them knows the label 'healthy'"):
        compare(answers(chances, truths), other, draws=50)


def test_the_area_difference_holds_what_it_promises():
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        positive = np.arange(80) < 40
        shared = rng.normal(0, 1, 80) + positive
        first, second = (shared + rng.normal(0, 0.5, 80) for _ in range(2))
        found = area_difference(positive, first, second)
        held += found.difference.low <= 0 <= found.difference.high
        assert (found.p < 0.05) == (not found.difference.low <= 0 <= found.difference.high)
    assert 0.9 <= held / 200 <= 0.99
