"""Ten seconds on ECG paper, and a beat for the worklist, as pictures that a page may show."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from firstread.recordings.paper import GAINS_MM_PER_MV, Mark, row_of, strip_svg, thumbnail_svg
from tests.recordings_for_tests import trace

SIGNAL = trace(length_s=10).astype(np.float32)


def drawn(signal, *, leads=("II", "V1"), marks=(), starts_s=0.0):
    row = row_of(signal, rate_hz=360.0)
    svg = strip_svg(signal, rate_hz=360.0, leads=leads, starts_s=starts_s, row=row, marks=marks)
    return ET.fromstring(svg)


def words(picture):
    return [each.text for each in picture.iter() if each.tag.endswith("text")]


@pytest.mark.parametrize(("times", "gain"), [(1, 10.0), (5, 5.0), (11, 2.5), (1000, 2.5)])
def test_a_tall_signal_is_drawn_at_a_gain_that_the_paper_has(times, gain):
    row = row_of(times * SIGNAL, rate_hz=360.0)
    assert row.mm_per_mv == gain
    assert gain in GAINS_MM_PER_MV
    assert 14.0 <= row.height_mm <= 40.0


def test_ten_seconds_are_a_quarter_of_a_metre_and_say_their_scale():
    picture = drawn(SIGNAL, starts_s=754.0)
    assert picture.get("width") == "250.0mm"
    assert words(picture)[-1] == "25 mm/s · 10 mm/mV · from 12:34.0"


def test_letters_stand_above_their_beats_and_names_beside_their_leads():
    marks = [Mark(at_s=12.0, letter="V", tone="alarm")]
    picture = drawn(SIGNAL, marks=marks, starts_s=10.0)
    assert words(picture)[:3] == ["II", "V1", "V"]
    letter = next(each for each in picture.iter() if each.text == "V")
    assert float(letter.get("x")) == 50.0


def test_what_a_name_or_letter_holds_is_never_markup():
    picture = drawn(SIGNAL, leads=("<script>", "a&b"), marks=[Mark(at_s=1.0, letter="<")])
    assert words(picture)[:3] == ["<script>", "a&b", "<"]


@pytest.mark.parametrize("signal", [np.zeros((2, 3600)), np.zeros((2, 0)), np.zeros((2, 1))])
def test_a_line_without_a_heart_is_drawn_flat(signal):
    picture = drawn(signal.astype(np.float32))
    assert len(words(picture)) == 3
    heights = {
        float(y)
        for path in picture.iter()
        if path.get("class") == "l"
        for y in re.findall(r" (-?[\d.]+)", path.get("d"))
    }
    assert len(heights) <= 2  # one for each lead


def test_a_thumbnail_fills_its_square():
    picture = ET.fromstring(thumbnail_svg(SIGNAL[0, :700], rate_hz=360.0))
    line = next(each for each in picture.iter() if each.get("class") == "l").get("d")
    across = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", line)]
    assert 0 <= min(across) < 1
    assert 39 < max(across) <= 40
