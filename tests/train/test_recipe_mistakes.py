"""A mistake in a recipe is one sentence with the key, before anything is learnt."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("torch")

import numpy as np
from click.testing import CliRunner
from PIL import Image

from firstread.cli.main import main
from firstread.train.recipe import open_recipe
from tests.train.conftest import SMALL

GREEN = '[[label]]\ncode = "green"\ntitle = "Green"\npositive = true\npriority = "asap"\n'
GROUP = '[[group]]\ncode = "any"\ntitle = "Any"\n'
LABELS = SMALL.partition("[[label]]")[0]
PACK = SMALL[SMALL.index("[pack]") : SMALL.index("[[label]]")]
SOURCE = SMALL[SMALL.index("[[source]]") : SMALL.index("[network]")]


def refused(recipe: str, colours, folder) -> str:
    file = folder / "recipe.toml"
    file.write_text(recipe)
    words = ["--data", str(colours), "--out", str(folder / "o"), "--work", str(folder / "w")]
    result = CliRunner().invoke(main, ["train", str(file), *words])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code != 0
    assert "epoch 1/" not in result.stderr
    assert {each.name for each in folder.iterdir()} == {"recipe.toml"}
    return result.stderr


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("seed = 5", "seed = -5", "'seed' must lie between 0 and"),
        ("seed = 5", "seed = 99999999999999999999", "'seed' must lie between 0 and"),
        ("stem = 8", "stem = 0", r"'network.stem' must lie between"),
        ("widths = [16, 16, 16]", "widths = [16, 0, 16]", r"'network.widths[1]' must lie between"),
        ("depths = [1, 1, 1]", "depths = [1]", "'network.widths' and depths"),
        ("[pack]", "[beats]\n\n[pack]", "'network' and 'beats' each say"),
        (
            "stain = 0.02",
            "stain = 0.02\nscale_low = 1.5",
            "augment.scale_low' lies above",
        ),
        ("width_px = 32", "width_px = 1", r"'source[0].width_px' must lie between 16"),
        ('priority = "urgent"', "sensitivity = 2.0", "'label[0].sensitivity' must lie between"),
        (
            'priority = "urgent"',
            'sensitivity = "high"',
            "[0].sensitivity' must be a finite number",
        ),
        ("many = false", "", "The recipe lacks 'pack.many'"),
        ("many = false", "many = false\nwords = 5", "'pack.words' must be a text"),
        ('priority = "urgent"', 'priorty = "urgent"', "has 'label[0].priorty', which nobody knows"),
        (SOURCE, "", "The recipe lacks 'source'"),
        ('licence = "CC0-1.0"', "", "'colours' has no licence"),
        (SMALL[SMALL.index("[[label]]") :], "", "The recipe lacks 'label'"),
        ("[[source]]", "[source]", "tables, each written [[source]]"),
        ("[[label]]", f"{GROUP}labels = 5\n\n[[label]]", "'group[0].labels' must be a list"),
        ("[[label]]", f"{GROUP}labels = [1]\n\n[[label]]", "'group[0].labels[0]' must be"),
    ],
)
def test_a_mistake_is_named_with_its_key(colours, tmp_path, old: str, new: str, sentence: str):
    assert old in SMALL
    assert sentence in refused(SMALL.replace(old, new, 1), colours, tmp_path)


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        ("source = []\n", "tables, each written [[source]]"),
        ("source = 5\n", "tables, each written [[source]]"),
        ("label = [1, 2]\n", "'label[0]' must be a table"),
        ("pack = 3\n", "'pack' must be a table"),
    ],
)
def test_a_table_that_is_none_is_named(colours, tmp_path, first: str, sentence: str):
    rest = {"sour": SMALL.replace(SOURCE, ""), "labe": LABELS, "pack": SMALL.replace(PACK, "")}
    assert sentence in refused(first + rest[first[:4]], colours, tmp_path)


def test_a_label_that_nobody_has_is_named_before_it_learns(colours, tmp_path):
    recipe = SMALL.replace('labels = ["red", "blue"]', 'labels = ["red", "blue", "green"]') + GREEN
    said = refused(recipe, colours, tmp_path)
    assert "No sample of 'green' stands in the training part of colours." in said


def test_an_alarm_that_no_test_sample_would_measure_is_named_before_it_learns(colours, tmp_path):
    folder = tmp_path / "data" / "colours"
    for label in ("red", "blue", "green"):
        (folder / label).mkdir(parents=True)
    for file in colours.glob("*/*.png"):
        (folder / file.parent.name / file.name).write_bytes(file.read_bytes())
    noise = np.random.default_rng(1).integers(0, 255, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(folder / "green" / "one.png")
    recipe = SMALL.replace('labels = ["red", "blue"]', 'labels = ["red", "blue", "green"]') + GREEN
    (tmp_path / "run").mkdir()
    said = refused(recipe, folder, tmp_path / "run")
    assert "How well 'green' is told cannot be measured" in said


def test_a_damaged_picture_is_named_with_its_path(colours, tmp_path):
    shutil.copytree(colours, tmp_path / "data")
    picture = tmp_path / "data" / "red" / "7.png"
    picture.write_bytes(picture.read_bytes()[:200])
    (tmp_path / "run").mkdir()
    said = refused(SMALL, tmp_path / "data", tmp_path / "run")
    assert "'red/7.png' cannot be learnt from" in said
    assert "firstread datasets check" in said


def test_a_recipe_may_begin_with_a_byte_order_mark(tmp_path):
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_text(SMALL, encoding="utf-8")
    marked.write_text(SMALL, encoding="utf-8-sig")
    assert open_recipe(marked).fingerprint() == open_recipe(plain).fingerprint()
