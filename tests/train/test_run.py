"""A recipe becomes a pack, also after the run was killed; the same seed gives the same bits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from firstread.cli.main import main
from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.packs import open_manifest
from firstread.runtime import open_reader
from firstread.train.recipe import find_recipe, open_recipe
from firstread.train.run import train
from tests.images_for_tests import cell_png
from tests.train.killed_for_tests import train_killed_and_again


@pytest.fixture(scope="module")
def pack(colours, tmp_path_factory) -> Path:
    from tests.train.conftest import SMALL

    folder = tmp_path_factory.mktemp("run")
    (folder / "colours.toml").write_text(SMALL)
    recipe = open_recipe(folder / "colours.toml")
    return train(recipe, data=colours, out=folder / "packs", work=folder / "work")


def test_the_pack_opens_and_reads_what_it_learnt(pack):
    reader = open_reader(pack)
    for label in ("red", "blue"):
        outcome = reader.read(cell_png(label, seed=1000))
        assert outcome.read.label == label
        assert outcome.evidence is not None
        assert outcome.evidence.shape[0] == 2
        mean = outcome.evidence.mean((1, 2))
        difference = outcome.logits - mean
        # The mean of the map is the logit but for the bias, which is the same for every picture.
        other = reader.read(cell_png("blue", seed=7))
        assert other.evidence is not None
        np.testing.assert_allclose(
            difference, other.logits - other.evidence.mean((1, 2)), atol=1e-3
        )


def test_the_manifest_tells_all_that_the_form_asks_for(pack):
    manifest = open_manifest(pack)
    assert manifest.quality is not None
    assert manifest.conformal is not None
    assert manifest.familiarity is not None
    assert [point.label for point in manifest.operating_points] == ["red"]
    assert manifest.results[0].metric == "accuracy"
    assert manifest.results[0].low <= manifest.results[0].value <= manifest.results[0].high
    assert manifest.provenance.datasets[0].n == 48
    assert len(manifest.provenance.datasets[0].sha256) == 64
    card = (pack / "card.md").read_text()
    assert "a qualified person decides" in card
    assert "colours 1.0.0" in card
    assert "It learnt 8 epochs in" in card
    assert "on the processor, in float32, and has the weights of epoch 8." in card
    assert "The logits of torch and of ONNX Runtime are at most" in card


def test_the_card_shows_how_it_learnt_and_how_well_it_reads(pack):
    card = (pack / "card.md").read_text()
    pictures = re.findall(r"!\[(.+?)\]\((\S+?)\)", card)
    assert [name for _, name in pictures] == [
        "learning.svg", "confusion.svg", "roc.svg", "precision-recall.svg", "reliability.svg",
        "coverage.svg",
    ]  # fmt: skip
    assert sum((pack / name).stat().st_size for _, name in pictures) < 200_000
    for words, name in pictures:
        assert f"*{words}.*" in card
        svg = ET.parse(pack / name).getroot()
        written = " ".join(text.text or "" for text in svg.iter("{http://www.w3.org/2000/svg}text"))
        assert written, name
        # Its own paper, so that it can be read on a dark page.
        assert "#ffffff" in (pack / name).read_text()
        for other in ("<script", "http://www.w3.org/1999/xhtml", "<image", "file:"):
            assert other not in (pack / name).read_text()
    assert "validation loss" in (pack / "learning.svg").read_text()
    assert "Red: AUC 1.000" in (pack / "roc.svg").read_text()


def test_a_blurred_or_foreign_picture_is_not_taken_for_a_good_one(pack):
    from tests.images_for_tests import blurred_png

    assert open_reader(pack).read(blurred_png("red")).read.unfit is not None


def test_nothing_of_this_machine_stands_in_the_pack(pack, colours):
    for path in pack.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for secret in (str(Path.home()), str(colours.parent), str(Path(__file__).parents[2])):
                assert secret.encode() not in data, path.name


def test_a_run_that_was_killed_ends_with_the_same_bits(pack, colours, recipe_file, tmp_path):
    ended = train_killed_and_again(recipe_file, data=colours, folder=tmp_path, killed_at="epoch 2/")
    assert "epoch 1/" not in ended.stderr
    assert ended.stdout.strip() == str(tmp_path / "packs" / "colours")
    again = tmp_path / "packs" / "colours" / "model.onnx"
    assert again.read_bytes() == (pack / "model.onnx").read_bytes()


def test_a_second_run_learns_nothing_anew_and_replaces_the_pack(pack, colours):
    before = (pack / "SHA256SUMS").read_bytes()
    recipe = open_recipe(pack.parents[1] / "colours.toml")
    learnt = []
    work = pack.parents[1] / "work"
    train(recipe, data=colours, out=pack.parent, work=work, report=learnt.append)
    assert learnt == []
    assert (pack / "SHA256SUMS").read_bytes() == before
    assert [path.name for path in pack.parent.iterdir()] == ["colours"]


def test_a_label_that_the_recipe_lacks_is_named(colours, recipe_file, tmp_path):
    recipe_file.write_text(recipe_file.read_text().replace('"blue"', '"violet"'))
    recipe = open_recipe(recipe_file)
    with pytest.raises(BadDataset, match="has the label 'blue', which the recipe has not"):
        train(recipe, data=colours, out=tmp_path / "packs", work=tmp_path / "work")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("epochs = 8", "epoch = 8", "has 'schedule.epoch', which nobody knows"),
        ('kind = "image"', 'kind = "sound"', "'kind' must be one of image"),
        ("seed = 5", "", "The recipe lacks 'seed'"),
        ('code = "blue"', 'code = "green"', "must be those of its first"),
        ("[network]", "[network", "is not TOML"),
        ("epochs = 8", "epochs = 0", r"'schedule.epochs' must lie between 1 and"),
        ("epochs = 8", "epochs = 8.5", r"'schedule.epochs' must be a whole number, not 8\.5"),
        ("epochs = 8", "epochs = true", r"'schedule.epochs' must be a whole number, not true"),
        ("batch = 8", "batch = -8", r"'schedule.batch' must lie between 1 and"),
        ("rate = 0.01", "rate = nan", r"'schedule.rate' must lie between"),
        ("rate = 0.01", 'rate = "fast"', r"'schedule.rate' must be a finite number, not 'fast'"),
        ("average = 0.8", "patience = -1", r"'schedule.patience' must lie between 0 and"),
        ("validation = 0.25", "validation = 0.0", r"'shares.validation' must lie between"),
        ("widths = [16, 16, 16]", 'widths = [16, "x"]', r"'network.widths\[1\]' must be a whole"),
        (
            "[network]",
            '[network]\nfamily = "vast"',
            "'network.family' must be one of lite, residual",
        ),
        ("seed = 5", 'seed = "five"', r"'seed' must be a whole number"),
        ("width_px = 32", "width_px = 32.5", r"'source\[0\].width_px' must be a whole number"),
    ],
)
def test_a_mistake_in_the_recipe_costs_no_time(colours, recipe_file, tmp_path, old, new, sentence):
    recipe_file.write_text(recipe_file.read_text().replace(old, new))
    with pytest.raises(BadConfiguration, match=sentence):
        train(open_recipe(recipe_file), data=colours, out=tmp_path, work=tmp_path)


def test_the_shipped_recipes_open_by_name():
    for name in ("marrow-cell", "blood-cell", "breast-cytology"):
        assert open_recipe(find_recipe(name)).name == name


def test_a_missing_recipe_is_one_sentence():
    result = CliRunner().invoke(main, ["train", "nowhere"])
    assert result.exit_code == 2
    assert "There is no recipe 'nowhere'" in result.stderr


def test_a_group_rings_and_kinds_of_samples_are_told_apart(tmp_path):
    """From labelled pictures to the answer on the command line, with a table that says more than
    the label."""
    from tests.train.conftest import SMALL

    folder = tmp_path / "colours"
    folder.mkdir()
    lines = ["path,label,subtype"]
    for number in range(72):
        label = ("red", "green", "blue")[number % 3]
        (folder / f"{number}.png").write_bytes(cell_png(label, seed=number, side_px=40))
        lines.append(f"{number}.png,{label},{'old' if number % 2 else 'new'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    group = """
[[group]]
code = "warm"
title = "Warm"
labels = ["red", "green"]
positive = true
priority = "asap"
sensitivity = 0.9
"""
    text = SMALL.replace('["red", "blue"]', '["red", "green", "blue"]')
    text = text.replace("many = false", 'many = false\nlarger = "Nothing: it reads all of them."')
    green = '[[label]]\ncode = "green"\ntitle = "Green"\npositive = false\n\n'
    text = text.replace('[[label]]\ncode = "blue"', green + '[[label]]\ncode = "blue"') + group
    (tmp_path / "colours.toml").write_text(text)
    words = ["train", str(tmp_path / "colours.toml"), "--data", str(folder), "--device", "cpu"]
    words += ["--out", str(tmp_path / "packs"), "--work", str(tmp_path / "work")]
    trained = CliRunner().invoke(main, words)
    assert trained.exit_code == 0, trained.output
    made = tmp_path / "packs" / "colours"
    assert trained.stdout.strip() == str(made)
    last = next(line for line in trained.stderr.splitlines() if line.startswith("epoch 8/8"))
    assert re.search(r"loss \S+  validation loss \S+  validation accuracy \S+  AUC \S+", last)
    assert re.search(r"ECE \S+  \S+ s  about 0 s left$", last)
    assert list((tmp_path / "work").glob("colours-*.csv"))
    manifest = open_manifest(made)
    assert "warm" in [point.label for point in manifest.operating_points]
    card = (made / "card.md").read_text()
    assert re.search(r"\| subtype: new \| \d+ \(few\) \|", card)
    assert "## What a larger network would gain\n\nNothing: it reads all of them." in card
    assert "Warm: AUC 1.000" in (made / "roc.svg").read_text()
    result = CliRunner().invoke(
        main, ["classify", str(folder / "0.png"), "--pack", str(made), "--json"]
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[0])
    assert told["label"] == "red"
    assert "warm" in told["alarms"]


def test_a_graphics_card_that_is_not_there_is_named_before_any_picture_is_opened(
    colours, recipe_file, tmp_path
):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a graphics card here")
    words = ["train", str(recipe_file), "--data", str(colours), "--device", "cuda"]
    words += ["--out", str(tmp_path / "packs"), "--work", str(tmp_path / "work")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "There is no graphics card that torch can use." in result.stderr
    assert "Opening" not in result.stderr
    assert not (tmp_path / "packs").exists()
