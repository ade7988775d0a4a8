"""A recipe becomes a pack, also after the run was killed; the same seed gives the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

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
    assert "results.svg" in card


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
    command = [sys.executable, "-m", "firstread", "train", str(recipe_file), "--data", str(colours)]
    command += ["--out", str(tmp_path / "packs"), "--work", str(tmp_path / "work")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("epoch 2/"):
            break
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stderr.close()
    assert not (tmp_path / "packs" / "colours").exists()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
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
        ("epochs = 8", "epoch = 8", r"\[schedule\] does not know 'epoch'"),
        ('kind = "image"', 'kind = "sound"', "kind must be image"),
        ("seed = 5", "", "lacks a key.*seed"),
        ('code = "blue"', 'code = "green"', "must be those of its first"),
        ("[network]", "[network", "is not TOML"),
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
