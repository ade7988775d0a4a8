"""Intervals of shares are those of print, and grow where samples are the same patients'."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.evaluation import share_of, wilson
from firstread.evaluation.resample import clusters_of, percentiles, resamples


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilsons_intervals_are_those_of_newcombe(hits, of, low, high):
    """Newcombe, Stat Med 17:857, 1998, Table I, method 3."""
    found = wilson(hits, of)
    assert (found.low, found.high) == (low, high)


def test_a_patient_who_gave_every_sample_twice_gives_no_more_certainty():
    hits = np.array([True] * 30 + [False] * 10)
    once = share_of(hits)
    twice = share_of(np.repeat(hits, 2), clusters=np.repeat(np.arange(40), 2))
    assert twice.value == once.value
    assert twice.low == pytest.approx(once.low, abs=0.01)
    assert twice.low < share_of(np.repeat(hits, 2)).low


def test_patients_who_differ_less_than_chance_are_not_credited():
    hits = np.tile([True, False], 20)
    assert share_of(hits, clusters=np.repeat(np.arange(20), 2)) == share_of(hits)


def test_where_all_is_right_each_patient_counts_once():
    found = share_of(np.ones(100, bool), clusters=np.repeat(np.arange(10), 10))
    assert (found.value, found.low, found.high) == (1.0, wilson(10, 10).low, 1.0)


def test_a_share_of_nothing_is_not_known():
    found = share_of(np.zeros(0, bool), clusters=np.zeros(0, np.int64))
    assert np.isnan([found.value, found.low, found.high]).all()


def test_resamples_draw_as_many_patients_as_there_are():
    clusters = clusters_of(["ann", "bo", "ann", "", "bo"])
    assert clusters is not None
    for block in resamples(5, clusters=clusters, draws=50):
        assert block.shape == (50, 3)
        assert (block.sum(1) == 3).all()


def test_the_same_seed_draws_the_same():
    first, again = (
        np.concatenate(list(resamples(7, clusters=None, draws=40, seed=3))) for _ in range(2)
    )
    assert (first == again).all()
    assert (first.sum(1) == 7).all()


def test_what_most_resamples_lack_has_no_interval():
    assert np.isnan(percentiles(np.array([0.5] * 4 + [np.nan] * 6))).all()
    assert percentiles(np.array([0.5] * 6 + [np.nan] * 4)) == (0.5, 0.5)
