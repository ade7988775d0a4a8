"""A recording is read beat by beat, counted, and refused where no model may be trusted with it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from firstread.domain.errors import UnreadableSample
from firstread.phantom import make
from firstread.recordings import Recording, join_pair, open_recording
from firstread.runtime import open_reader
from firstread.runtime.beats import (
    prepared_leads,
    stretches,
    typical_beat,
    waits,
    windows_at,
)
from tests.hearts_for_tests import recording_zip
from tests.packs_for_tests import make_recording_pack
from tests.recordings_for_tests import as_csv, as_wfdb, trace


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return open_reader(make_recording_pack(tmp_path_factory.mktemp("packs")))


def read(reader, signal):
    return reader.read(join_pair(as_wfdb(signal))).read


def test_every_beat_has_a_time_a_label_and_a_probability(reader):
    true = np.arange(0.5, 29.5, 0.8)
    found = read(reader, trace(length_s=30, beats_s=true))
    assert len(found.beats) == len(true)
    assert np.abs(np.array([beat.at_s for beat in found.beats]) - true).max() < 0.05
    assert found.label == "N"
    assert sum(found.counts.values()) == len(true)
    assert sum(finding.probability for finding in found.findings) == pytest.approx(1.0)
    assert found.unfit is None
    assert found.finding_set == ()
    assert found.alarms == ()


def test_enough_alarming_beats_raise_the_alarm_and_stand_for_the_recording(reader):
    outcome = reader.read(recording_zip(seconds=30.0, wide=(4, 9, 20)))
    found = outcome.read
    assert found.alarms[:1] == ("V",)
    assert found.label == "V"
    assert found.counts["V"] == 3
    assert found.findings[0].label == "N"
    assert outcome.evidence.shape[0] == len(found.beats)
    assert outcome.logits.shape == (len(reader.manifest.labels),)


def test_a_read_gives_the_same_numbers_again_and_from_another_form(reader):
    signal = trace(length_s=20)
    one, again = read(reader, signal), read(reader, signal)
    assert one.beats == again.beats
    other = reader.read(as_csv(signal)).read
    assert [beat.label for beat in other.beats] == [beat.label for beat in one.beats]


def test_one_lead_and_twelve_leads_are_read(reader):
    for leads in (1, 12):
        signal = trace(length_s=20, leads=leads)
        names = tuple(f"lead {n}" for n in range(leads))
        found = reader.read(join_pair(as_wfdb(signal, names=names))).read
        assert len(found.beats) == 24
        assert found.unfit is None


def test_an_answer_for_programs_has_counts_and_beats(reader):
    answer = read(reader, trace(length_s=20)).as_answer()
    assert answer["counts"]["N"] == len(answer["beats"]) == 24
    assert set(answer["beats"][0]) == {"at_s", "label", "probability"}


UNFIT = {
    "too short": (trace(length_s=4), "too short"),
    "flat": (np.zeros((2, 7200)), "flat line"),
    "noise": (np.random.default_rng(1).normal(0, 0.4, (2, 7200)), "too noisy"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_an_unfit_recording_says_why_and_what_to_do(reader, what):
    signal, said = UNFIT[what]
    found = read(reader, signal)
    assert said in found.unfit
    assert found.unfit.endswith(".")


def test_leads_that_were_off_are_unfit(reader):
    signal = trace(length_s=20)
    signal[:, 2000:] = np.nan
    found = read(reader, signal)
    assert "off for most of the time" in found.unfit


def test_what_is_no_recording_is_refused(reader):
    with pytest.raises(UnreadableSample, match="not a recording"):
        reader.read(b"\x89PNG\r\n\x1a\n" + bytes(100))


def test_measurements_are_refused_by_a_pack_of_recordings(reader):
    with pytest.raises(UnreadableSample, match="reads recordings, not measurements"):
        reader.read_measurements({"size": 1})


def test_the_typical_beat_is_that_of_most_beats(reader):
    given = reader.manifest.recording
    beats_s = np.arange(1.0, 59.0, 0.8)
    signal = trace(length_s=60, beats_s=beats_s, leads=2).astype(np.float32)
    odd = beats_s[::5]
    at = np.arange(signal.shape[1]) / 360
    for moment in odd:
        signal += 2 * np.exp(-(((at - moment) / 0.06) ** 2)).astype(np.float32)
    recording = Recording(signal=signal, rate_hz=360.0, leads=("II", "V1"))
    leads = prepared_leads(recording, given=given)
    windows, _ = windows_at(leads, given=given, at_s=beats_s)
    typical = typical_beat(windows, waits(np.diff(beats_s)), given=given)
    plain = np.delete(windows, np.arange(0, len(beats_s), 5), axis=0)
    assert np.abs(typical - np.median(plain, axis=0)).max() < 0.1


@pytest.mark.parametrize("early_s", [0.6, 1.1])
def test_where_most_beats_are_early_the_typical_one_is_rested(reader, early_s):
    given = reader.manifest.recording
    early = np.arange(100) % 4 != 0
    beats_s = 1.0 + np.cumsum(np.where(early, early_s, 1.2))
    signal = trace(length_s=120, beats_s=beats_s, leads=2).astype(np.float32)
    at = np.arange(signal.shape[1]) / 360
    for moment in beats_s[early]:
        signal += 0.3 * np.exp(-(((at - moment + 0.2) / 0.03) ** 2)).astype(np.float32)
    recording = Recording(signal=signal, rate_hz=360.0, leads=("II", "V1"))
    windows, _ = windows_at(prepared_leads(recording, given=given), given=given, at_s=beats_s)
    typical = typical_beat(windows, waits(np.diff(beats_s)), given=given)
    of_early, of_rested = (np.median(windows[each], axis=0) for each in (early, ~early))
    assert np.abs(of_early - of_rested).max() > 0.2
    assert np.abs(typical - (of_rested if early_s < 1 else of_early)).max() < 0.1


def test_a_few_pauses_in_a_short_recording_do_not_choose_the_typical_beat(reader):
    given = reader.manifest.recording
    beats_s = 1.0 + np.cumsum(np.where(np.arange(30) % 8 == 0, 1.9, 0.8))
    signal = trace(length_s=36, beats_s=beats_s, leads=2).astype(np.float32)
    signal += np.random.default_rng(1).normal(0, 0.1, signal.shape).astype(np.float32)
    recording = Recording(signal=signal, rate_hz=360.0, leads=("II", "V1"))
    windows, _ = windows_at(prepared_leads(recording, given=given), given=given, at_s=beats_s)
    typical = typical_beat(windows, waits(np.diff(beats_s)), given=given)
    assert np.abs(typical - np.median(windows, axis=0)).max() < 0.05


def test_a_day_is_cut_into_half_hours_and_no_beat_is_lost():
    at_s = np.cumsum(np.full(100_000, 0.86))
    cuts = stretches(at_s, length_s=1800.0)
    assert cuts[0][0] == 0
    assert cuts[-1][1] == len(at_s)
    assert all(one[1] == other[0] for one, other in pairwise(cuts))
    assert 1700 < np.diff(at_s[[cuts[0][0], cuts[0][1] - 1]])[0] < 1900


def test_the_drawn_hearts_open_and_are_the_same_for_the_same_seed():
    for label in ("N", "S", "V", "F", "Q"):
        one, again = (make("heartbeat", label=label, seed=9) for _ in range(2))
        assert one.data == again.data
        assert open_recording(one.data).leads == ("MLII", "V1")
        assert one.ending == ".zip"
