"""Phantoms: the same seed gives the same sample, and what cannot be made is refused in words."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from firstread.cli.phantom import phantom as command
from firstread.domain.errors import FirstreadError, UnknownCheck
from firstread.phantom import DAMAGES, checks, damaged, labels, make

PICTURES = ("blood-smear", "leukaemia")


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("check", checks())
def test_the_same_seed_makes_the_same_phantom_and_another_seed_another(check):
    for label in labels(check):
        assert make(check, label=label, seed=3) == make(check, label=label, seed=3)
        assert make(check, label=label, seed=3).data != make(check, label=label, seed=4).data


@pytest.mark.parametrize("check", PICTURES)
def test_a_picture_is_a_png_without_metadata_in_which_the_cell_is_darker_than_its_border(check):
    for label in labels(check):
        sample = make(check, label=label, seed=1)
        with Image.open(io.BytesIO(sample.png)) as image:
            assert image.format == "PNG"
            assert not image.info
        seen = pixels(sample.png).astype(float)
        middle = seen.shape[0] // 2
        cell = seen[middle - 9 : middle + 9, middle - 9 : middle + 9]
        assert cell.mean() < np.quantile(seen.mean(axis=2), 0.9) - 20


def test_without_a_label_the_seeds_go_through_all_labels():
    for check in checks():
        assert {make(check, seed=n).label for n in range(8)} == set(labels(check))


def test_a_row_of_measurements_holds_nine_whole_scores_from_one_to_ten():
    for seed in range(30):
        row = make("breast-cytology", seed=seed).measurements
        assert len(row) == 9
        assert all(1 <= score <= 10 and score == int(score) for score in row.values())


def test_malignant_rows_score_higher_than_benign_ones():
    def mean(label):
        rows = [make("breast-cytology", label=label, seed=n).measurements for n in range(40)]
        return np.mean([list(row.values()) for row in rows])

    assert mean("malignant") > mean("benign") + 2


def test_an_unknown_check_label_or_damage_is_refused_with_the_names_that_exist():
    with pytest.raises(UnknownCheck, match="blood-smear"):
        make("horoscope")
    with pytest.raises(FirstreadError, match="promyelocyte"):
        make("leukaemia", label="unicorn")
    with pytest.raises(FirstreadError, match="blurred"):
        damaged("burnt")
    with pytest.raises(UnknownCheck, match="rows of measurements"):
        damaged("dark", check="breast-cytology")


def test_damage_blurs_darkens_brightens_or_empties_the_picture():
    def edges(seen):
        return np.abs(np.diff(seen.astype(float).mean(axis=2), axis=0)).mean()

    whole = pixels(make("leukaemia", label="blast", seed=2).png)
    spoiled = {
        kind: pixels(damaged(kind, check="leukaemia", label="blast", seed=2).png)
        for kind in DAMAGES
    }
    assert edges(spoiled["blurred"]) < edges(whole) / 2
    assert spoiled["dark"].mean() < 30
    assert spoiled["bright"].mean() > 245
    assert spoiled["empty"].std() < whole.std() / 3


def test_the_command_writes_one_file_per_phantom_and_tells_their_names(tmp_path):
    done = CliRunner().invoke(command, ["blood-smear", "--count", "3", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    names = [line.rsplit("/", 1)[-1] for line in done.output.splitlines()]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    assert len(names) == 3


def test_the_command_writes_a_row_that_can_be_classified(tmp_path):
    out = tmp_path / "row.json"
    done = CliRunner().invoke(command, ["breast-cytology", "--label", "benign", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert json.loads(out.read_text())["clump_thickness"] >= 1


def test_the_command_refuses_several_phantoms_in_one_file(tmp_path):
    out = tmp_path / "one.png"
    done = CliRunner().invoke(command, ["leukaemia", "--count", "2", "--out", str(out)])
    assert done.exit_code == 2
    assert "name a folder" in done.output
