"""AllDS2020 is reproduced: its copies, its network, its optimisers, its figures, and a pack."""

from __future__ import annotations

import json
import math
from pathlib import Path

import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from PIL import Image

pytest.importorskip("torch")

import torch

from firstread.cli.main import main
from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.packs import open_manifest
from firstread.runtime import open_reader
from firstread.train.allds2020.fixed_copies import BORDER, KINDS, copies, rotated
from firstread.train.allds2020.network import AllNetwork, AllReader, augmented, chances_of, fit
from firstread.train.allds2020.over_seeds import mean_interval, merit
from firstread.train.recipe import AllDs2020, find_recipe, open_recipe
from firstread.train.run import train
from tests.images_for_tests import cell, cell_png
from tests.serving_for_tests import serving
from tests.train.killed_for_tests import train_killed_and_again

SMALL = AllDs2020(epochs=6, rate=1e-3, batch=8, rotations=2, threads=1)


@pytest.fixture(scope="module")
def allidb(tmp_path_factory) -> Path:
    """Drawn cells under the names of ALL-IDB2: `Im001_1.tif` shows leukaemia."""
    folder = tmp_path_factory.mktemp("data") / "ALL-IDB2"
    folder.mkdir()
    for number in range(40):
        picture = cell(("blue", "red")[number % 2], seed=number, side_px=48)
        picture.save(folder / f"Im{number + 1:03}_{number % 2}.tif")
    return folder


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory) -> Path:
    """The shipped recipe, of a size that is learnt within seconds."""
    text = find_recipe("allds2020").read_text(encoding="utf-8")
    for old, new in (
        ("width_px = 100", "width_px = 24"),
        ("height_px = 100", "height_px = 24"),
        ("epochs = 150", "epochs = 6"),
        ("rate = 1e-4", "rate = 1e-3"),
        ("batch = 32", "batch = 16"),
        ("rotations = 10", "rotations = 2"),
        ("threads = 2", "threads = 1"),
        ("test = 0.185", "test = 0.25"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("recipe") / "allds2020.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def pack(allidb, recipe_file, work, said, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("packs")
    recipe = open_recipe(recipe_file)
    return train(recipe, data=allidb, out=out, work=work, seeds=2, say=said.append)


def gradient() -> np.ndarray:
    """A picture in which every place is another."""
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[..., 0] = np.arange(100)[:, np.newaxis] * 2
    picture[..., 1] = np.arange(100)[np.newaxis] * 2
    picture[..., 2] = 50
    return picture


def test_eighty_eight_pictures_become_as_many_as_were_published():
    made, targets = augmented(
        np.zeros((88, 8, 8, 3), np.uint8), np.arange(88), rotations=10, seed=1
    )
    assert len(made) == len(targets) == 1584
    assert np.bincount(targets).tolist() == [18] * 88
    assert round(0.255 * 1584) == 404


def test_each_copy_is_what_its_name_says():
    picture = gradient()
    by_name = dict(
        zip(KINDS, copies(picture, rotations=0, by=np.random.default_rng(0)), strict=True)
    )
    assert (by_name["original"] == picture).all()
    luma = np.rint(0.299 * picture[..., 0] + 0.587 * picture[..., 1] + 0.114 * picture[..., 2])
    for channel in range(3):
        assert (by_name["grey"][..., channel] == luma).all()
    assert (by_name["upside down"][0] == picture[99]).all()
    assert (by_name["mirrored"][:, 0] == picture[:, 99]).all()
    assert (by_name["moved"][56:, 84:] == picture[:44, :16]).all()
    assert (by_name["moved"][:56] == BORDER).all()
    assert (by_name["moved"][:, :84] == BORDER).all()


def test_the_equalised_copy_uses_the_whole_range_and_keeps_greys_grey():
    dull = np.repeat(np.arange(100, 120, dtype=np.uint8).reshape(4, 5, 1), 3, axis=2)
    made = copies(dull, rotations=0, by=np.random.default_rng(0))[KINDS.index("equalised")]
    assert made.min() == 0
    assert made.max() == 255
    assert (made[..., 0] == made[..., 1]).all()
    assert (made[..., 1] == made[..., 2]).all()
    flat = np.full((4, 5, 3), 90, np.uint8)
    assert copies(flat, rotations=0, by=np.random.default_rng(0)).shape == (8, 4, 5, 3)


def test_the_blurred_copy_mixes_the_colours_as_the_published_code_does():
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 0] = 240
    made = copies(red, rotations=0, by=np.random.default_rng(0))[KINDS.index("blurred")]
    assert np.ptp(made[50, 50].astype(int)) < 30


def test_the_sheared_copy_leans_and_is_black_where_nothing_is_left():
    white = np.full((100, 100, 3), 255, np.uint8)
    made = copies(white, rotations=0, by=np.random.default_rng(0))[KINDS.index("sheared")]
    edges = (made[..., 0] > 127).argmax(axis=1)
    # The left edge moves by sin(0.5) for every row.
    assert edges[0] == 0
    assert edges[90] == pytest.approx(90 * math.sin(0.5), abs=1)
    assert (made[90, : edges[90] - 1] == 0).all()


def test_a_turned_copy_is_smaller_in_the_colour_of_the_border():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[40:60, 80:100] = 255  # on the right
    upwards = rotated(picture, degrees=90)
    assert (upwards[0, 0] == BORDER).all()
    rows, columns = np.nonzero(upwards.min(axis=2) == 255)
    # Counter-clockwise: what was on the right comes up, 0.7 times as far from the middle.
    assert rows.mean() == pytest.approx(50 - 0.7 * 40, abs=1)
    assert columns.mean() == pytest.approx(50, abs=1)
    assert len(rows) == pytest.approx(400 * 0.49, rel=0.15)


def test_copies_of_a_small_picture_are_refused_nothing():
    tiny = np.full((2, 2, 3), 7, np.uint8)
    made = copies(tiny, rotations=3, by=np.random.default_rng(0))
    assert made.shape == (11, 2, 2, 3)
    assert (made[KINDS.index("moved")] == BORDER).all()


def test_the_network_has_as_many_weights_as_was_published():
    network = AllNetwork()
    counted = [
        sum(weight.numel() for weight in layer.parameters())
        for layer in (network.first, network.second, network.dense)
    ]
    assert counted == [2280, 22530, 150002]
    assert network.features(torch.zeros(1, 100, 100, 3, dtype=torch.uint8)).shape == (1, 30, 50, 50)


def test_the_evidence_adds_up_to_the_logit():
    torch.manual_seed(3)
    network = AllNetwork(side_px=12)
    images = torch.randint(0, 256, (2, 12, 12, 3), dtype=torch.uint8)
    with torch.inference_mode():
        logits, embedding, evidence = AllReader(network)(images)
        assert torch.allclose(logits, network(images), atol=1e-5)
        assert torch.allclose(evidence.mean((2, 3)) + network.dense.bias, logits, atol=1e-4)
    assert embedding.shape == (2, 30)
    assert evidence.shape == (2, 2, 6, 6)


def learnable(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = np.tile([0, 1], 16)
    images = rng.integers(0, 120, (32, 10, 10, 3)).astype(np.uint8)
    images[targets == 1, 3:7, 3:7] += 130
    return images, targets


def dense_of(network: AllNetwork) -> torch.Tensor:
    return network.dense.weight.detach()


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_both_optimisers_learn_and_the_same_seed_gives_the_same_bits(optimiser):
    images, targets = learnable()
    how = replace(SMALL, optimiser=optimiser, epochs=20)
    first, again = (fit(images, targets, how, seed=4) for _ in range(2))
    assert (chances_of(first, images).argmax(1) == targets).all()
    assert torch.equal(first.dense.weight, again.dense.weight)
    other = fit(images, targets, how, seed=5)
    assert not torch.equal(first.dense.weight, other.dense.weight)


def test_the_first_step_is_that_of_keras():
    """Adam's first step has the length of the rate, RMSprop's that of the rate / sqrt(0.1)."""
    images, targets = learnable()
    for optimiser, length in (("adam", 1e-3), ("rmsprop", 1e-3 / math.sqrt(0.1))):
        how = replace(SMALL, optimiser=optimiser, epochs=1, batch=32)
        before = dense_of(fit(images, targets, replace(how, epochs=0), seed=1))
        steps = (dense_of(fit(images, targets, how, seed=1)) - before).abs()
        assert float(steps.max()) == pytest.approx(length, rel=0.02)


def test_the_rate_falls_with_every_step_as_in_keras():
    images, targets = learnable()
    gone = {}
    for decay in (0.0, 1e9):
        how = replace(SMALL, decay=decay, epochs=3, batch=16)
        gone[decay] = dense_of(fit(images, targets, how, seed=1))
    once = dense_of(fit(images, targets, replace(SMALL, epochs=0), seed=1))
    # With an enormous decay only the first step moves anything.
    assert float((gone[1e9] - once).abs().max()) < float((gone[0.0] - once).abs().max()) / 2


def test_a_run_goes_on_from_its_last_whole_epoch(tmp_path):
    images, targets = learnable()
    whole = fit(images, targets, SMALL, seed=2)
    kept = tmp_path / "run.pt"
    fit(images, targets, replace(SMALL, epochs=2), seed=2, checkpoint=kept)
    epochs = []
    resumed = fit(
        images, targets, SMALL, seed=2, checkpoint=kept, report=lambda p: epochs.append(p.epoch)
    )
    assert epochs == [3, 4, 5, 6]
    assert torch.equal(whole.dense.weight, resumed.dense.weight)


def test_a_damaged_checkpoint_starts_again_and_says_so(tmp_path):
    images, targets = learnable()
    kept = tmp_path / "run.pt"
    kept.write_bytes(b"PK\x03\x04 no checkpoint")
    told = []
    fit(images, targets, replace(SMALL, epochs=1), seed=2, checkpoint=kept, say=told.append)
    assert any("starts again" in line for line in told)


def test_the_figures_of_merit_are_those_that_allds2020_printed():
    """Its published confusion matrix: 213 and 182 right, 4 and 5 wrong, of 404."""
    truths = np.repeat([0, 0, 1, 1], [213, 4, 5, 182])
    said = np.repeat([0, 1, 0, 1], [213, 4, 5, 182])
    chances = np.where(said[:, np.newaxis] == [0, 1], 0.9, 0.1)
    found = merit(truths, chances)
    assert (found.tp, found.fp, found.tn, found.fn) == (182, 4, 213, 5)
    assert round(found.accuracy, 8) == 0.97772277
    assert found.specificity == pytest.approx(0.9815668202764977)
    assert found.misclassified == pytest.approx(0.02227722772277228)
    # Its recall and precision are printed as its accuracy: they were counted over both outputs.
    assert found.recall == pytest.approx(182 / 187)
    assert found.precision == pytest.approx(182 / 186)


def test_what_cannot_be_counted_is_not_known():
    found = merit(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]))
    assert math.isnan(found.recall)
    assert math.isnan(found.precision)
    assert math.isnan(found.auc)
    assert found.specificity == 1


def test_the_interval_over_seeds_is_students():
    """Five runs: mean 3, s 1.5811, t(0.975, 4) = 2.7764 (any table of Student's t)."""
    found = mean_interval([1, 2, 3, 4, 5])
    assert found.mean == 3
    assert found.high - found.mean == pytest.approx(2.7764 * 1.5811 / math.sqrt(5), abs=1e-3)
    assert math.isnan(mean_interval([0.5]).low)
    assert mean_interval([math.nan, 0.5, 0.7]).runs == 2
    assert math.isnan(mean_interval([]).mean)


def test_the_shipped_recipes_say_what_was_published():
    for name, optimiser in (("allds2020", "adam"), ("allds2020-rmsprop", "rmsprop")):
        recipe = open_recipe(find_recipe(name))
        assert recipe.name == name
        assert recipe.allds2020 == AllDs2020(
            optimiser=optimiser, rate=1e-4, decay=1e-6, epochs=150, batch=32, rotations=10
        )
        assert recipe.sources[0].fit == "stretch"
        assert (recipe.sources[0].width_px, recipe.sources[0].height_px) == (100, 100)


def test_a_folder_of_all_idb_becomes_a_pack_with_figures_over_seeds(pack, work, said):
    manifest = open_manifest(pack)
    assert manifest.codes == ("healthy", "leukaemia")
    assert [point.label for point in manifest.operating_points] == ["leukaemia"]
    card = (pack / "card.md").read_text(encoding="utf-8")
    assert "## Over 2 seeds" in card
    assert "| sensitivity (recall) |" in card
    assert "leave its accuracy anywhere from" in card
    assert any("Student's t" in line for line in said)
    found = json.loads(next(work.glob("*-seeds.json")).read_text(encoding="utf-8"))
    assert [run["seed"] for run in found["runs"]] == [2020, 2021]
    assert found["over_seeds"]["test"]["accuracy"]["runs"] == 2
    for run in found["runs"]:
        assert run["test"]["n"] == 10
        assert run["learnt_n"] + run["validation"]["n"] + run["test"]["n"] == 40


def test_a_second_run_learns_nothing_anew(pack, allidb, recipe_file, work, tmp_path):
    learnt = []
    recipe = open_recipe(recipe_file)
    again = train(recipe, data=allidb, out=tmp_path, work=work, seeds=2, report=learnt.append)
    assert learnt == []
    assert (again / "model.onnx").read_bytes() == (pack / "model.onnx").read_bytes()


def test_the_pack_reads_with_a_map_that_adds_up(pack):
    reader = open_reader(pack)
    for seed in range(500, 506):
        for colour, answer in (("red", "leukaemia"), ("blue", "healthy")):
            outcome = reader.read(cell_png(colour, seed=seed, side_px=48))
            assert outcome.read.label == answer
    assert outcome.evidence is not None
    assert outcome.evidence.shape == (2, 12, 12)


def test_the_old_systems_clients_are_answered_by_the_pack(pack, allidb):
    with serving("allds2020", shelf=pack.parent, options=("--vr-pictures", str(allidb))) as running:
        sick = cell_png("red", seed=900, side_px=48)
        said = httpx.post(f"{running.url}/Inference", content=sick).json()
        assert said["Message"] == "Positive"
        words = {
            httpx.post(f"{running.url}/VRInference/{number}").json().get("Diagnosis")
            for number in range(1, 9)
        }
    assert {"Positive", "Negative"} <= words


def test_a_run_over_seeds_that_was_killed_ends_with_the_same_bits(
    pack, allidb, recipe_file, tmp_path
):
    train_killed_and_again(
        recipe_file,
        data=allidb,
        folder=tmp_path,
        killed_at="epoch 3/",
        options=("--seeds", "2"),
    )
    again = tmp_path / "packs" / "allds2020" / "model.onnx"
    assert again.read_bytes() == (pack / "model.onnx").read_bytes()


def test_seeds_are_for_this_recipe_alone(tmp_path, allidb):
    result = CliRunner().invoke(
        main, ["train", "blood-cell", "--seeds", "3", "--data", str(allidb)]
    )
    assert result.exit_code == 2
    assert "Leave --seeds out" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('optimiser = "adam"', 'optimiser = "sgd"', "one of adam, rmsprop"),
        ("batch = 16", "batch = 0", "'allds2020.batch' must lie between"),
        ("epochs = 6", "epochs = -1", "'allds2020.epochs' must lie between"),
        ("rotations = 2", "rotations = -1", "'allds2020.rotations' must lie between"),
        ("rate = 1e-3", "rate = 0.0", "'allds2020.rate' must lie between"),
        ("width_px = 24", "width_px = 25", "squares of an even number"),
        ("positive = false", "positive = true", "the negative one first"),
        (
            "[allds2020]",
            "[allds2020]\nmomentum = 1",
            "has 'allds2020.momentum', which nobody knows",
        ),
    ],
)
def test_a_mistake_in_the_recipe_is_named(recipe_file, allidb, tmp_path, old, new, sentence):
    path = tmp_path / "wrong.toml"
    text = recipe_file.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadConfiguration, match=sentence):
        train(open_recipe(path), data=allidb, out=tmp_path, work=tmp_path)


def test_too_few_pictures_are_refused(recipe_file, tmp_path):
    for number in (1, 2):
        Image.new("RGB", (30, 30), (number, 0, 0)).save(tmp_path / f"Im00{number}_{number % 2}.jpg")
    with pytest.raises(BadDataset, match="too few pictures"):
        train(open_recipe(recipe_file), data=tmp_path, out=tmp_path / "p", work=tmp_path / "w")
