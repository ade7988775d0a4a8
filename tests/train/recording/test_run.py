"""Annotated records become a pack that reads, the same one whether or not it was stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from firstread.datasets import open_dataset
from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.evaluation.beats import evaluate_recordings
from firstread.phantom import make
from firstread.runtime import open_reader
from firstread.train.recipe import find_recipe, open_recipe
from firstread.train.recording.assemble import best_point
from firstread.train.recording.batches import changed, shown
from firstread.train.recording.beats import load_beats, parted
from firstread.train.recording.run import input_of
from firstread.train.run import train
from tests.recordings_for_tests import annotated

SYMBOLS = ("NNNVNNNA" * 5, "NNVNNNNN" * 5, "NANNNNVN" * 5, "NNNNNNVV" * 5)


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ecg") / "heartbeat"
    folder.mkdir()
    for number, symbols in enumerate(SYMBOLS):
        for name, data in annotated(str(100 + number), symbols=symbols).items():
            (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def recipe():
    shipped = open_recipe(find_recipe("heartbeat"))
    return replace(
        shipped,
        beats=replace(shipped.beats, folds=2, repeats=2, width=8),
        schedule=replace(shipped.schedule, epochs=2, batch=16),
    )


@pytest.fixture(scope="module")
def pack(records, recipe, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    return train(recipe, data=records, out=folder / "packs", work=folder / "work")


def test_a_recipe_and_records_become_a_pack_that_reads(pack, records):
    reader = open_reader(pack)
    assert reader.manifest.kind == "recording"
    assert [point.label for point in reader.manifest.operating_points] == ["S", "V"]
    found = reader.read(make("heartbeat", label="N", seed=1).data).read
    assert len(found.beats) > 25
    assert found.familiarity is not None
    card = (pack / "card.md").read_text()
    assert "(learning.svg)" in card
    assert "validation loss" not in (pack / "learning.svg").read_text()  # it has none
    assert "beats found" in card
    assert "Each of its 4 networks learnt 2 epochs" in card
    assert "ended early" not in card
    assert "Records 201 and 202" in card
    measured = evaluate_recordings(reader, open_dataset(records), threads=1, draws=10)
    assert measured.beats.detection_sensitivity.value == 1.0


def test_torch_and_the_reader_give_the_same_logits(pack, records, recipe):
    reader = open_reader(pack)
    beats = load_beats(
        open_dataset(records), given=reader.manifest.recording, labels=reader.manifest.codes
    )
    signal = shown(beats, torch.arange(12)).numpy()
    whole = reader.run(signal)["logits"]
    alone = np.concatenate([reader.run(row[None])["logits"] for row in signal])
    assert np.abs(whole - alone).max() < 1e-4
    difference = (pack / "card.md").read_text()
    assert "torch" in difference


def test_what_training_sees_is_what_the_reader_sees(records, recipe):
    given = input_of(recipe.beats)
    dataset = open_dataset(records)
    beats = load_beats(dataset, given=given, labels=recipe.sources[0].labels)
    from firstread.recordings import open_recording
    from firstread.recordings.beats import find_beats
    from firstread.runtime.beats import shown_beats

    recording = open_recording(dataset.data(dataset.items[0]))
    at_s = find_beats(recording).at_s
    read = np.concatenate(list(shown_beats(recording, given=given, at_s=at_s)))
    learnt = shown(beats, torch.nonzero(beats.records == 0).flatten()).numpy()
    assert np.abs(read - learnt).max() < 2e-3  # windows are kept in half precision


class StoppedError(Exception):
    pass


def test_a_run_that_was_stopped_ends_with_the_same_network(pack, records, recipe, tmp_path):
    def stop(progress):
        if progress.epoch == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(recipe, data=records, out=tmp_path / "packs", work=tmp_path / "work", report=stop)
    told: list[str] = []
    again = train(
        recipe, data=records, out=tmp_path / "packs", work=tmp_path / "work", say=told.append
    )
    assert any("Going on after" in line for line in told)
    assert (again / "model.onnx").read_bytes() == (pack / "model.onnx").read_bytes()


def test_a_record_never_stands_in_two_folds(records, recipe):
    beats = load_beats(
        open_dataset(records), given=input_of(recipe.beats), labels=recipe.sources[0].labels
    )
    folds = parted(beats, folds=2)
    assert sorted(record for fold in folds for record in fold) == [0, 1, 2, 3]


def test_premature_beats_are_made_of_regular_ones_and_say_so(records, recipe):
    beats = load_beats(
        open_dataset(records), given=input_of(recipe.beats), labels=recipe.sources[0].labels
    )
    chosen = torch.nonzero(beats.targets == 0).flatten()
    signal, targets = changed(
        beats, chosen, around=8, before=81, rate_hz=180.0, made_up=1.0, fibrillating=0.0,
        premature=1, draw=torch.Generator().manual_seed(1),
    )  # fmt: skip
    made = targets == 1
    assert made.any()
    rhythm = signal[:, -1]
    earlier = rhythm[:, 7] / rhythm[:, 17]
    assert float(earlier[made].median()) < 0.95
    assert torch.isfinite(signal).all()


def test_beats_that_come_as_in_fibrillation_stay_normal_and_have_no_p_wave(records, recipe):
    beats = load_beats(
        open_dataset(records), given=input_of(recipe.beats), labels=recipe.sources[0].labels
    )
    chosen = torch.nonzero(beats.targets == 0).flatten()[:200]
    still, wild = (
        changed(
            beats, chosen, around=8, before=81, rate_hz=180.0, made_up=0.0, fibrillating=share,
            premature=1, draw=torch.Generator().manual_seed(1),
        )
        for share in (0.0, 1.0)
    )  # fmt: skip
    assert bool((wild[1] == 0).all())
    spread = [each[0][:, -1, :16].log().std(1).median() for each in (still, wild)]
    assert float(spread[1]) > 0.1 > float(spread[0])
    # The typical beat's first lead, 0.26 to 0.1 s before its peak.
    p_wave = [each[0][:, 2, 36:63].abs().mean() for each in (still, wild)]
    assert float(p_wave[1]) < 0.5 * float(p_wave[0])


def test_the_operating_point_weighs_finding_against_crying_wolf():
    rng = np.random.default_rng(1)
    true = rng.random(5000) < 0.05
    said = np.clip(0.2 * true + rng.normal(0.1, 0.08, 5000), 0, 1)
    threshold = best_point(said, true, finding=1.0)
    assert 0.15 < threshold < 0.35
    assert best_point(said, true, finding=3.0) < threshold


def test_a_folder_that_is_no_records_is_refused(recipe, tmp_path):
    (tmp_path / "a").mkdir()
    from tests.images_for_tests import as_png, cell

    for label in ("a", "b"):
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / label / "1.png").write_bytes(as_png(cell()))
    with pytest.raises(BadConfiguration, match="annotated WFDB"):
        train(recipe, data=tmp_path, out=tmp_path / "packs", work=tmp_path / "work")


def test_too_few_records_to_part_are_refused(records, recipe, tmp_path):
    many = replace(recipe, beats=replace(recipe.beats, folds=4))
    with pytest.raises(BadDataset, match="too few for 4"):
        train(many, data=records, out=tmp_path / "packs", work=tmp_path / "work")
