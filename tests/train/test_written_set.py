"""A set that was written is learnt from as it was parted: what stands in the test part is never
seen, and a patient is on one side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

pytest.importorskip("torch")

from firstread.datasets import open_dataset, split
from firstread.datasets.write import samples_of, write_dataset
from firstread.domain.errors import BadDataset
from firstread.packs import open_manifest
from firstread.train.image.pixels import load
from firstread.train.recipe import find_recipe, open_recipe
from firstread.train.recording.beats import load_beats, parted
from firstread.train.recording.run import input_of
from firstread.train.run import train
from tests.recordings_for_tests import annotated
from tests.train.measurements.test_additive import made, measured

PARTS = ("train", "validation", "test")
SHARES = {0: "test", 1: "validation"}


def written(dataset, folder, *, part_of=lambda _: "", patient_of=lambda item: item.patient):
    """The set with those parts and patients, in a folder that Firstread wrote."""
    samples = (
        replace(sample, part=part_of(number), patient=patient_of(item))
        for number, (sample, item) in enumerate(
            zip(samples_of(dataset), dataset.items, strict=True)
        )
    )
    write_dataset(samples, to=folder, kind=dataset.kind, licence="CC0-1.0")
    return folder


def test_pictures_are_learnt_as_they_were_parted(colours, recipe_file, tmp_path):
    given = open_dataset(colours)
    drawn = split(given, validation=0.2, test=0.3, seed=99)
    part_of = {at: part for part in PARTS for at in getattr(drawn, part)}
    folder = written(given, tmp_path / "colours", part_of=part_of.__getitem__)
    recipe = open_recipe(recipe_file)
    assert load(given, recipe.sources[0], recipe).parts != drawn
    assert load(open_dataset(folder), recipe.sources[0], recipe).parts == drawn
    pack = train(recipe, data=folder, out=tmp_path / "packs", work=tmp_path / "work")
    assert open_manifest(pack).results[0].n == len(drawn.test)


def test_rows_of_the_test_part_change_nothing_that_is_learnt(tmp_path):
    recipe = open_recipe(find_recipe("breast-cytology"))
    models = []
    for name in ("one", "other"):
        rows, truths = made()
        at = np.arange(len(rows)) // 2 % 4
        truths[at == 0] = name == "other"
        given = open_dataset(measured(tmp_path / f"{name}-given", rows, truths))
        parts = [SHARES.get(each, "train") for each in at.tolist()]
        folder = written(given, tmp_path / name, part_of=parts.__getitem__)
        said = []
        pack = train(recipe, data=folder, out=tmp_path / f"p-{name}", work=tmp_path / "w",
                     say=said.append)  # fmt: skip
        assert f"60 samples of {name} are of its validation and test parts" in said[0]
        assert open_manifest(pack).provenance.datasets[0].n == 60
        models.append((pack / "model.onnx").read_bytes())
    assert models[0] == models[1]
    nothing = written(given, tmp_path / "none", part_of=lambda _: "test")
    with pytest.raises(BadDataset, match="All samples of none are of its validation and test"):
        train(recipe, data=nothing, out=tmp_path / "p", work=tmp_path / "w")


def test_records_of_one_patient_are_in_one_fold_and_those_of_the_test_part_in_none(tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    for number in range(6):
        for name, data in annotated(str(100 + number), symbols="NNVNNNAN" * 3).items():
            (given / name).write_bytes(data)
    patients = dict(zip(("100", "101", "102", "103", "104", "105"), "abacdd", strict=True))
    folder = written(
        open_dataset(given),
        tmp_path / "heartbeat",
        patient_of=lambda item: patients[item.path],
        part_of=lambda number: "test" if number == 3 else "",
    )
    recipe = open_recipe(find_recipe("heartbeat"))
    how = structs.replace(recipe.beats, folds=2, repeats=1, width=8)
    beats = load_beats(open_dataset(folder), given=input_of(how), labels=recipe.sources[0].labels)
    assert beats.patients.tolist() == [0, 1, 0, 2, 3, 3]
    folds = parted(beats, folds=2)
    assert sorted(record for fold in folds for record in fold) == list(range(6))
    for pair in ({0, 2}, {4, 5}):
        assert any(pair <= set(fold) for fold in folds)
    short = structs.replace(
        recipe, beats=how, schedule=structs.replace(recipe.schedule, epochs=1, batch=16, threads=1)
    )
    pack = train(short, data=folder, out=tmp_path / "p", work=tmp_path / "w")
    assert open_manifest(pack).provenance.datasets[0].n == 5
