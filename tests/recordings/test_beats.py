"""Beats are found where they are, at any rate and with any number of leads."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.recordings import Recording
from firstread.recordings.beats import find_beats
from firstread.recordings.resample import resampled
from tests.recordings_for_tests import trace


def recording(signal, *, rate_hz=360.0) -> Recording:
    signal = np.asarray(signal, np.float32)
    names = tuple(f"lead {n + 1}" for n in range(len(signal)))
    return Recording(signal=signal, rate_hz=rate_hz, leads=names)


def assert_found(found, true, *, within_s=0.05):
    assert len(found) == len(true)
    assert np.abs(found - true).max() < within_s


@pytest.mark.parametrize("rate_hz", [125.0, 250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("leads", [1, 2, 12])
def test_every_beat_is_found_once(rate_hz, leads):
    true = np.cumsum(np.random.default_rng(1).uniform(0.4, 1.3, 60))
    signal = trace(length_s=60, rate_hz=rate_hz, leads=leads, beats_s=true[true < 59.5])
    assert_found(find_beats(recording(signal, rate_hz=rate_hz)).at_s, true[true < 59.5])


def test_beats_are_found_upside_down_and_at_a_tenth_of_the_voltage():
    true = np.arange(0.5, 29.5, 0.7)
    signal = -0.1 * trace(length_s=30, beats_s=true)
    assert_found(find_beats(recording(signal)).at_s, true)


def test_a_lead_that_fell_off_does_not_hide_the_beats_of_the_other():
    true = np.arange(0.5, 29.5, 0.7)
    signal = trace(length_s=30, beats_s=true)
    signal[0] = 0.0
    assert_found(find_beats(recording(signal)).at_s, true)


def test_a_noisy_lead_does_not_add_beats_to_a_clear_one():
    true = np.arange(0.5, 59.5, 0.7)
    signal = trace(length_s=60, beats_s=true)
    signal[1] += np.random.default_rng(2).normal(0, 0.5, signal.shape[1])
    assert_found(find_beats(recording(signal)).at_s, true)


def test_wander_of_the_baseline_and_the_hum_of_the_mains_do_not_matter():
    true = np.arange(0.5, 29.5, 0.9)
    signal = trace(length_s=30, beats_s=true)
    at = np.arange(signal.shape[1]) / 360
    signal = signal + 1.5 * np.sin(2 * np.pi * 0.25 * at) + 0.1 * np.sin(2 * np.pi * 50 * at)
    assert_found(find_beats(recording(signal)).at_s, true)


def test_a_pause_of_six_seconds_holds_no_beat():
    true = np.concatenate([np.arange(0.5, 20, 0.8), np.arange(26, 50, 0.8)])
    assert_found(find_beats(recording(trace(length_s=51, beats_s=true))).at_s, true)


@pytest.mark.parametrize("signal", [np.zeros((2, 7200)), np.ones((1, 7200)), np.zeros((1, 5))])
def test_where_nothing_beats_nothing_is_found(signal):
    assert len(find_beats(recording(signal)).at_s) == 0


def test_a_lead_keeps_its_shape_at_another_rate():
    at = np.arange(3600) / 360
    slow = np.sin(2 * np.pi * 3 * at).astype(np.float32)
    found = resampled(slow, rate_hz=360.0, to_hz=180.0)
    assert np.abs(found - np.sin(2 * np.pi * 3 * np.arange(1800) / 180))[20:-20].max() < 0.01
    fast = np.sin(2 * np.pi * 120 * at).astype(np.float32)
    assert np.abs(resampled(fast, rate_hz=360.0, to_hz=180.0))[20:-20].max() < 0.05


def test_noise_without_beats_is_told_from_a_heart():
    rng = np.random.default_rng(4)
    assert find_beats(recording(rng.normal(0, 0.3, (2, 20000)))).noise > 0.5
    assert find_beats(recording(trace(length_s=60))).noise < 0.3
