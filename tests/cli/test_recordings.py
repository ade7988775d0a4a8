"""Recordings on the command line: a header and its samples are one, and beats are counted."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from firstread.cli.main import main as firstread
from tests.hearts_for_tests import recording_zip, wfdb_pair
from tests.packs_for_tests import make_recording_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory) -> str:
    return str(make_recording_pack(tmp_path_factory.mktemp("packs")))


def said(*words: str) -> str:
    result = CliRunner().invoke(firstread, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_line_counts_the_beats_and_tells_when_the_alarming_ones_are(pack, tmp_path):
    (tmp_path / "ecg.zip").write_bytes(recording_zip(seconds=30.0, wide=(4, 9, 20)))
    line = said("classify", str(tmp_path / "ecg.zip"), "--pack", pack)
    assert re.search(r"37 beats: N 34, V 3  V at 0:03\.\d, 0:07\.\d, 0:16\.\d  ALARM V", line)


def test_a_header_takes_its_samples_with_it_and_annotations_are_no_sample(pack, tmp_path):
    for name, data in wfdb_pair("100").items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "100.atr").write_bytes(b"\x00\x00")
    for named in (tmp_path, tmp_path / "100.hea", tmp_path / "100.dat"):
        answers = [
            json.loads(line)
            for line in said("classify", str(named), "--pack", pack, "--json").splitlines()
        ]
        assert [answer["path"].rsplit("/", 1)[-1] for answer in answers] == ["100.hea"]
        assert answers[0]["counts"]["N"] == len(answers[0]["beats"])


def test_a_header_without_its_samples_says_what_is_missing(pack, tmp_path):
    (tmp_path / "100.hea").write_bytes(wfdb_pair("100")["100.hea"])
    result = CliRunner().invoke(firstread, ["classify", str(tmp_path / "100.hea"), "--pack", pack])
    assert result.exit_code == 1
    assert "together with what it names: 100.dat" in result.output


def test_a_phantom_of_a_heart_is_a_zip(tmp_path):
    out = tmp_path / "ecg.zip"
    said("phantom", "heartbeat", "--label", "V", "--out", str(out))
    assert out.read_bytes()[:2] == b"PK"
    said("phantom", "heartbeat", "--count", "2", "--out", str(tmp_path / "many"))
    assert all(path.suffix == ".zip" for path in (tmp_path / "many").iterdir())
