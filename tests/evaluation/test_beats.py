"""A pack is measured on annotated records beat by beat, and counts as AAMI says."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from firstread.cli.main import main as firstread
from firstread.datasets import open_dataset
from firstread.domain.errors import BadDataset
from firstread.evaluation.beats import evaluate_recordings
from firstread.evaluation.compare import compare
from firstread.evaluation.matching import match, outside
from firstread.evaluation.plain import as_plain
from firstread.runtime import open_reader
from tests.packs_for_tests import make_recording_pack
from tests.recordings_for_tests import annotated


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return open_reader(make_recording_pack(tmp_path_factory.mktemp("packs")))


@pytest.fixture
def records(tmp_path):
    folder = tmp_path / "ecg"
    folder.mkdir()
    for record, symbols in (("100", "N" * 30), ("101", "NNNNV" * 6)):
        for name, data in annotated(record, symbols=symbols).items():
            (folder / name).write_bytes(data)
    return folder


def test_each_beat_is_matched_once_and_the_nearest_is_taken():
    pairs = match(np.array([1.0, 1.2, 3.0]), np.array([1.01, 1.19, 1.3, 5.0]))
    assert pairs.true.tolist() == [0, 1]
    assert pairs.found.tolist() == [0, 1]
    assert pairs.missed.tolist() == [2]
    assert pairs.extra.tolist() == [2, 3]


def test_a_beat_151_ms_away_is_another():
    assert match(np.array([1.0]), np.array([1.151])).missed.tolist() == [0]
    assert match(np.array([1.0]), np.array([1.149])).missed.tolist() == []


def test_what_lies_in_flutter_is_left_out():
    kept = outside(np.array([1.0, 2.0, 3.2]), ((1.5, 3.1),), margin_s=0.15)
    assert kept.tolist() == [True, False, False]


def test_the_figures_are_of_beats_and_by_record(reader, records):
    found = evaluate_recordings(reader, open_dataset(records), threads=1, draws=20)
    assert found.n == 60
    assert found.beats.detection_sensitivity.value == 1.0
    assert found.beats.detection_ppv.value == 1.0
    by_label = {each.label: each for each in found.labels}
    assert by_label["N"].n == 54
    assert by_label["V"].n == 6
    # The drawn V beats look as N does, so that none can be found.
    assert by_label["N"].sensitivity.value == 1.0
    assert by_label["V"].sensitivity.value == 0.0
    assert found.answers.patients == 2
    plain = as_plain(found)
    assert plain["beats"]["detection"]["sensitivity"]["value"] == 1.0
    assert [each["record"] for each in plain["beats"]["records"]] == ["100", "101"]
    json.dumps(plain)


def test_a_missed_beat_counts_against_its_label(reader, tmp_path):
    files = annotated("100", symbols="N" * 30)
    data = bytearray(files["100.dat"])
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)  # the second half is flat
    header = files["100.hea"].decode().split("\n")
    header = [" ".join(line.split()[:5]) if ".dat" in line else line for line in header]
    for name, body in {
        **files,
        "100.dat": bytes(data),
        "100.hea": "\n".join(header).encode(),
    }.items():
        (tmp_path / name).write_bytes(body)
    found = evaluate_recordings(reader, open_dataset(tmp_path), threads=1, draws=20)
    aami = {each.label: each for each in found.beats.labels}
    assert 0.4 < found.beats.detection_sensitivity.value < 0.6
    assert aami["N"].sensitivity.value == pytest.approx(found.beats.detection_sensitivity.value)


def test_records_in_which_no_beat_is_found_are_told_as_that(reader, records):
    for name in ("100", "101"):
        data = records / f"{name}.dat"
        data.write_bytes(bytes(data.stat().st_size))
        header = (records / f"{name}.hea").read_text().split("\n")
        header = [" ".join(line.split()[:5]) if ".dat" in line else line for line in header]
        (records / f"{name}.hea").write_text("\n".join(header))
    with pytest.raises(BadDataset, match="found none of the beats that are annotated in ecg"):
        evaluate_recordings(reader, open_dataset(records), threads=1, draws=20)


def test_the_command_tells_what_was_found(reader, records, tmp_path):
    pack = make_recording_pack(tmp_path)
    said = CliRunner().invoke(firstread, ["evaluate", str(pack), str(records)])
    assert said.exit_code == 0, said.output
    assert "2 recordings; each sample is a beat" in said.output
    assert "beats found          1.000" in said.output


def test_a_record_that_is_damaged_is_listed_and_the_others_count(reader, records):
    (records / "100.dat").write_bytes(b"short")
    found = evaluate_recordings(reader, open_dataset(records), threads=1, draws=20)
    assert found.n == 30
    assert "cut short" in found.unreadable[0]["error"]


def test_a_pack_that_lacks_a_label_of_the_records_says_so(reader, tmp_path):
    for name, data in annotated("100", symbols="N" * 10 + "F" + "N" * 9).items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(BadDataset, match="beats of the label 'F'"):
        evaluate_recordings(reader, open_dataset(tmp_path), threads=1, draws=20)


def test_two_packs_are_compared_on_the_beats_that_both_found(reader, records):
    answers = evaluate_recordings(reader, open_dataset(records), threads=1, draws=20).answers
    fewer = answers.only(np.arange(60) % 3 != 1)
    assert compare(answers, fewer, draws=20).n == 40
    assert len({sample.path for sample in answers.samples}) == 60
    assert answers.samples[0].path.startswith("100 at 0:0")


def test_a_beats_answer_is_the_label_it_was_given(reader, records):
    answers = evaluate_recordings(reader, open_dataset(records), threads=1, draws=20).answers
    otherwise = replace(answers, named=np.where(np.arange(60) == 7, 1, answers.given))
    (differs,) = compare(answers, otherwise, draws=20).differing
    assert (differs.first, differs.second) == ("N", answers.codes[1])
    assert otherwise.only(np.arange(60) == 7).given.tolist() == [1]
    assert compare(answers, otherwise, draws=20).differences["accuracy"].value == pytest.approx(
        -1 / 60
    )


def test_the_report_of_recordings_tells_beats_and_where_the_mistakes_are(reader, records, tmp_path):
    page = tmp_path / "page.html"
    pack = make_recording_pack(tmp_path)
    command = ["evaluate", str(pack), str(records), "--report", str(page)]
    assert CliRunner().invoke(firstread, command).exit_code == 0
    text = page.read_text()
    assert "<h2>Beats</h2>" in text
    assert "<td>beats found</td><td>1.000" in text
    assert "<td>101</td><td>30</td><td>0</td><td>0</td><td>6</td>" in text
    assert "6 of 60 are read wrong" in text
    assert "101 at 0:0" in text
