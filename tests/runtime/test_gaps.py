"""What is not measured is no heartbeat: drawn normal hearts with gaps and pauses ring no alarm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firstread.phantom import ecg
from firstread.recordings import Recording
from firstread.recordings.beats import find_beats
from firstread.recordings.silence import held
from firstread.recordings.whole import whole_recording
from firstread.runtime import open_reader
from firstread.runtime.beats import intervals
from firstread.runtime.kinds.recording import named_beats
from firstread.runtime.recording import alarms_of

PACK = Path(__file__).parents[2] / "packs" / "heartbeat"
RATE_HZ = ecg.RATE_HZ
SEEDS = range(6)
SPANS_S = ((7.3, 11.5), (18.0, 20.0), (25.1, 26.1))


@pytest.fixture(scope="module")
def reader():
    return open_reader(PACK)


def heart(seed: int, label: str = "N") -> np.ndarray:
    return ecg.signal_of(label, np.random.default_rng(seed), length_s=36.0)


def read(reader, signal):
    recording = whole_recording(
        np.array(signal, np.float32), rate_hz=float(RATE_HZ), names=("MLII", "V1")
    )
    named, unfit = named_beats(reader, recording)
    assert unfit is None
    return named, [reader.manifest.codes[place] for place in named.labels.tolist()]


def spans():
    return [slice(int(begin * RATE_HZ), int(end * RATE_HZ)) for begin, end in SPANS_S]


def not_measured(signal, rng):
    for span in spans():
        signal[:, span] = np.nan
    return signal


def one_lead_off(signal, rng):
    for span in spans():
        signal[rng.integers(2), span] = np.nan
    return signal


def held_by_its_device(signal, rng):
    for span in spans():
        signal[:, span] = signal[:, span.start, None]
    return signal


def zero(signal, rng):
    signal += rng.uniform(-0.5, 0.5, (2, 1)).astype(np.float32)
    for span in spans():
        signal[:, span] = 0.0
    return signal


def at_the_rail(signal, rng):
    for span in spans():
        signal[:, span] = 5.0
    return signal


def at_the_rail_with_noise(signal, rng):
    for span in spans():
        signal[:, span] = -5.0 + rng.normal(0, 0.005, signal[:, span].shape)
    return signal


def dropouts(signal, rng):
    for begin in rng.uniform(1, 34, 12):
        signal[:, int(begin * RATE_HZ) : int((begin + 0.15) * RATE_HZ)] = np.nan
    return signal


def off_at_the_start_and_the_end(signal, rng):
    signal[:, : int(2.3 * RATE_HZ)] = np.nan
    signal[:, -int(3.1 * RATE_HZ) :] = 0.0
    return signal


def cut_at_both_ends(signal, rng):
    return signal[:, int(rng.uniform(0, 1) * RATE_HZ) : -int(rng.uniform(0.01, 1) * RATE_HZ)]


def true_pauses(signal, rng):
    """Twice the heart stops for some seconds, before a P wave; the device goes on measuring."""
    at_s = find_beats(Recording(signal=signal, rate_hz=RATE_HZ, leads=("MLII", "V1"))).at_s
    for beat in sorted(rng.choice(np.arange(4, len(at_s) - 4), 2, replace=False))[::-1]:
        place, length = int((at_s[beat] - 0.26) * RATE_HZ), int(rng.uniform(1.5, 6) * RATE_HZ)
        rests = signal[:, place, None] + rng.normal(0, 0.03, (2, length))
        signal = np.concatenate([signal[:, :place], rests, signal[:, place:]], 1)
    return signal


SPOILED = [
    not_measured, one_lead_off, held_by_its_device, zero, at_the_rail, at_the_rail_with_noise,
    dropouts, off_at_the_start_and_the_end, cut_at_both_ends, true_pauses,
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_normal_heart_stays_normal_beside_what_was_not_measured(spoil, reader):
    odd, beats = 0, 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        named, labels = read(reader, spoil(heart(seed), rng))
        assert alarms_of(named, manifest=reader.manifest) == ()
        odd += sum(label in "SV" for label in labels)
        beats += len(labels)
    assert beats > 150
    assert odd == 0


@pytest.mark.parametrize("label", ["S", "V"])
def test_beats_that_matter_are_found_as_before_elsewhere(label, reader):
    """Beats away from the gaps keep their names."""
    for seed in SEEDS:
        whole, names = read(reader, heart(seed, label))
        cut, cut_names = read(reader, not_measured(heart(seed, label), None))
        far = [
            place
            for place, at_s in enumerate(whole.at_s.tolist())
            if all(at_s < begin - 2 or at_s > end + 2 for begin, end in SPANS_S)
        ]
        same = [
            names[place] == cut_names[int(np.abs(cut.at_s - whole.at_s[place]).argmin())]
            for place in far
        ]
        assert sum(same) >= len(same) - 1


def test_what_was_not_measured_and_a_pause_are_told(reader):
    named, _ = read(reader, not_measured(heart(1), None))
    assert "no lead shows anything" in named.notes[0]
    assert "0:07.2" in named.notes[0]
    named, _ = read(reader, one_lead_off(heart(1), np.random.default_rng(1)))
    assert "shows nothing for" in named.notes[0]
    paused = true_pauses(heart(3), np.random.default_rng(3))
    named, _ = read(reader, paused)
    assert "No heartbeat is found for" in named.notes[0]
    named, _ = read(reader, heart(1))
    assert named.notes == ()


def test_a_recording_that_is_held_for_most_of_the_time_is_unfit(reader):
    signal = heart(2)
    signal[:, 8 * RATE_HZ : 34 * RATE_HZ] = signal[:, 8 * RATE_HZ, None]
    recording = whole_recording(signal, rate_hz=float(RATE_HZ), names=("MLII", "V1"))
    assert "show nothing for most of the time" in named_beats(reader, recording)[1]


def test_a_clean_recording_rests_between_its_beats_and_is_not_held():
    lead = np.zeros(20 * 360, np.float32)
    for beat in range(180, 7000, 360):
        lead[beat : beat + 36] = 1.0
    assert len(held(lead, rate_hz=360.0)) == 0


def test_long_intervals_of_a_heart_that_fibrillates_are_no_pauses():
    at_s = np.cumsum([0.5, 1.6, 0.5, 0.6, 1.7, 0.7, 0.5, 1.8, 0.6, 0.5, 1.6, 0.7, 0.6, 1.7])
    nothing = np.empty((0, 2))
    assert intervals(at_s, silent_s=nothing).tolist() == np.diff(at_s).tolist()


def test_nothing_that_is_measured_changes_the_answers(reader):
    recording = whole_recording(heart(4), rate_hz=float(RATE_HZ), names=("MLII", "V1"))
    assert recording.silent == ()
    assert find_beats(recording).silent_s.tolist() == []
