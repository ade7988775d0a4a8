"""How fast the samples of a table come: by a column of whatever name, or by its head."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.domain.errors import UnreadableSample
from firstread.recordings import open_recording
from tests.recordings_for_tests import trace

LEAD = trace(leads=1)[0]
RATE = "Sampling rate: 360 Hz\n"


def table(head: str, times, *, rate_line: str = "", mark: str = ",") -> bytes:
    rows = [f"{time}{mark}{value:.3f}" for time, value in zip(times, LEAD, strict=True)]
    return "\n".join([f"{rate_line}{head}", *rows]).encode()


COUNT = range(len(LEAD))
TIMES = {
    "Zeit": [f"{t / 360:.6f}" for t in COUNT],
    "": list(COUNT),
    "timestamp": [f"{1.6e9 + t / 360:.4f}" for t in COUNT],
    "Unnamed: 0": list(COUNT),
    "время": [f"{t / 360:.6f}" for t in COUNT],
    "ts_ms": [f"{t / 0.36:.3f}" for t in COUNT],
    "foo": [f"{1e6 * t / 360:.0f}" for t in COUNT],
    "date": [f"2024-01-02 10:00:{t / 360:09.6f}" for t in COUNT],
    "coarse": [f"{t / 360:.2f}" for t in COUNT],
}


@pytest.mark.parametrize("name", TIMES)
def test_a_column_that_rises_evenly_is_no_lead_whatever_it_is_called(name):
    found = open_recording(table(f"{name},II (mV)", TIMES[name], rate_line=RATE))
    assert found.leads == ("II",)
    assert found.rate_hz == 360
    assert np.abs(found.signal[0] - LEAD).max() < 1e-3
    assert found.notes == ()


@pytest.mark.parametrize("name", ["Zeit", "timestamp", "время", "foo (s)", "date"])
def test_times_of_another_name_tell_the_rate_where_nothing_else_does(name):
    times = TIMES.get(name, TIMES["Zeit"])
    found = open_recording(table(f"{name},II (mV)", times))
    assert (found.rate_hz, found.leads) == (360, ("II",))


@pytest.mark.parametrize("rate_hz", [359.5, 128.25, 360, 500])
def test_a_rate_that_is_no_whole_number_stays_so(rate_hz):
    found = open_recording(table("time,II (mV)", [f"{t / rate_hz:.6f}" for t in COUNT]))
    assert found.rate_hz == pytest.approx(rate_hz, rel=1e-6)


def test_times_in_milliseconds_that_do_not_say_so_are_taken_as_such_and_told():
    found = open_recording(table("time,II (mV)", TIMES["ts_ms"]))
    assert found.rate_hz == 360
    assert found.notes == (
        "The column of time names no unit: its numbers were taken as milliseconds.",
    )


def test_a_column_of_time_need_not_be_the_first():
    rows = [f"{value:.3f},{t / 250:.3f}" for t, value in enumerate(LEAD)]
    found = open_recording("\n".join(["II (mV),t", *rows]).encode())
    assert (found.rate_hz, found.leads) == (250, ("II",))


def test_a_rate_and_times_that_contradict_each_other_are_refused_with_both():
    with pytest.raises(UnreadableSample, match=r"says 250 samples.*360"):
        open_recording(table("time,II", TIMES["Zeit"], rate_line="Sampling rate: 250 Hz\n"))
    with pytest.raises(UnreadableSample, match=r"says 250 samples.*no time at that rate"):
        open_recording(table("foo,II", TIMES["Zeit"], rate_line="Sampling rate: 250 Hz\n"))


def test_counted_samples_alone_tell_no_time():
    with pytest.raises(UnreadableSample, match="tells no time"):
        open_recording(table(",II", COUNT))


@pytest.mark.parametrize(
    "line",
    ["Sampling rate: 360 Hz", "Sample Rate,360 hertz", "Abtastrate;0.36 kHz", "fs=360",
     "# 360 samples per second", "Frequency (Hz): 360"],
)  # fmt: skip
def test_the_head_of_other_apps_says_the_rate(line):
    rows = "\n".join(f"{value:.3f}" for value in LEAD)
    assert open_recording(f"{line}\nII (mV)\n{rows}\n".encode()).rate_hz == 360


@pytest.mark.parametrize(
    "line", ["Unit,µV", "Units: uV", "Einheit: µV", "# Unit = microvolts", "µV"]
)
@pytest.mark.parametrize("alphabet", ["utf-8", "latin-1", "utf-16"])
def test_a_line_that_names_one_unit_holds_for_every_lead(line, alphabet):
    rows = "\n".join(f"{1000 * value:.1f}" for value in LEAD)
    text = f"Name,Jane Roe\nSample Rate,360 hertz\nLead,Lead I\n{line}\n\n{rows}\n"
    found = open_recording(text.encode(alphabet))
    assert np.abs(found.signal[0] - LEAD).max() < 1e-3
    assert found.notes == ()


def test_two_units_for_the_same_numbers_are_refused_with_both():
    with pytest.raises(UnreadableSample, match=r"different units.*'µV' and 'mV'"):
        open_recording(table("time,II (mV)", TIMES["Zeit"], rate_line="Unit: µV\n"))


def test_numbers_without_a_unit_are_taken_as_millivolts_and_told():
    found = open_recording(table("time,II", TIMES["Zeit"]))
    assert found.notes == ("The CSV file names no unit: its numbers were taken as millivolts.",)


def test_a_name_that_ends_in_s_or_v_is_not_cut_into_a_unit():
    found = open_recording(table("time,ecg_signals", TIMES["Zeit"]))
    assert np.abs(found.signal[0] - LEAD).max() < 1e-3
