"""The reader takes recordings as it takes pictures: as they are, in a form, and as tensors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from msgspec import convert

from firstread.connect.inference.addresses import address_of
from firstread.connect.inference.open_inference import OpenInference
from firstread.edge.serve.protocols import native_description as described
from firstread.packs import open_manifest
from firstread.recordings import open_recording
from firstread.recordings.beats import find_beats
from firstread.runtime import open_reader
from firstread.runtime.beats import shown_beats
from tests.hearts_for_tests import recording_zip
from tests.packs_for_tests import make_recording_pack
from tests.recordings_for_tests import as_csv, trace
from tests.serving_for_tests import Serving, serving

DATA = recording_zip(seconds=20.0, wide=(4, 9))


@pytest.fixture(scope="module")
def shelf_of_hearts(tmp_path_factory) -> Path:
    return make_recording_pack(tmp_path_factory.mktemp("hearts")).parent


@pytest.fixture(scope="module")
def reader(shelf_of_hearts: Path) -> Iterator[Serving]:
    with serving("beats", shelf=shelf_of_hearts) as running:
        yield running


def test_a_recording_is_answered_as_classify_answers_it(reader, shelf_of_hearts):
    answer = httpx.post(f"{reader.url}/read/beats", content=DATA, timeout=60)
    here = open_reader(shelf_of_hearts / "beats").read(DATA).read.as_answer()
    assert answer.status_code == 200
    assert answer.json() | {"ms": 0} == json.loads(json.dumps(here)) | {"ms": 0}
    assert answer.json()["counts"]["V"] == 2
    told = convert(answer.json(), described.Answer)
    assert set(answer.json()) <= set(described.Answer.__struct_fields__)
    assert told.counts == answer.json()["counts"]


def test_a_csv_and_a_form_of_several_are_read(reader):
    table = as_csv(trace(length_s=15))
    kinds = {"Content-Type": "text/csv"}
    one = httpx.post(f"{reader.url}/read/beats", content=table, headers=kinds, timeout=60)
    assert one.json()["label"] == "N"
    files = [("a", ("a.zip", DATA)), ("b", ("b.csv", table)), ("c", ("c.edf", b"nothing"))]
    several = httpx.post(f"{reader.url}/read/beats", files=files, timeout=60).json()
    assert [each.get("label") for each in several] == ["V", "N", None]
    assert "Send" in several[2]["error"]


def test_json_is_refused_with_what_to_send(reader):
    answer = httpx.post(f"{reader.url}/read/beats", json={"size": 1}, timeout=60)
    assert answer.status_code == 415
    assert "a zip of a .hea and its .dat" in answer.json()["detail"]


def test_beats_run_as_tensors_give_what_they_give_here(reader, shelf_of_hearts):
    pack = shelf_of_hearts / "beats"
    manifest = open_manifest(pack)
    described = httpx.get(f"{reader.url}/v2/models/beats", timeout=60).json()
    assert [each["name"] for each in described["inputs"]] == ["signal", "sample"]
    recording = open_recording(DATA)
    at_s = find_beats(recording).at_s
    signal = next(shown_beats(recording, given=manifest.recording, at_s=at_s))
    network = OpenInference(address_of(reader.url), manifest=manifest, timeout_s=30)
    there = network.run(signal)
    here = open_reader(pack).run(signal)
    assert np.abs(there["logits"] - here["logits"]).max() < 1e-5
    assert there["evidence"].shape == here["evidence"].shape
