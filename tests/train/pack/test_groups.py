"""The groups of a recipe become those of its pack, each with an operating point of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firstread.domain.errors import BadConfiguration
from firstread.train.pack.manifest import groups_of, points_of
from firstread.train.recipe import Recipe, open_recipe
from tests.train.conftest import SMALL

GRADES = (
    SMALL.replace('labels = ["red", "blue"]', 'labels = ["none", "mild", "severe"]').split(
        "[[label]]"
    )[0]
    + "".join(
        f'[[label]]\ncode = "{code}"\ntitle = "{code}"\npositive = {positive}\n{more}\n'
        for code, positive, more in (
            ("none", "false", ""),
            ("mild", "true", ""),
            ("severe", "true", "sensitivity = 0.99"),
        )
    )
    + '[[group]]\ncode = "referable"\ntitle = "Referable"\nlabels = ["mild", "severe"]\n'
    'positive = true\npriority = "urgent"\nsensitivity = 0.9\n'
)


def recipe(folder: Path, text: str = GRADES) -> Recipe:
    (folder / "grades.toml").write_text(text)
    return open_recipe(folder / "grades.toml")


def test_a_group_of_the_recipe_is_the_packs(tmp_path):
    (group,) = groups_of(recipe(tmp_path))
    assert (group.code, group.labels, group.priority) == ("referable", ("mild", "severe"), "urgent")


def test_a_group_has_its_own_operating_point_and_speaks_for_labels_without_one(tmp_path):
    rng = np.random.default_rng(1)
    truths = rng.integers(0, 3, 400)
    chances = rng.dirichlet(np.ones(3), 400) + 0.6 * np.eye(3)[truths]
    chances /= chances.sum(1, keepdims=True)
    points = points_of(recipe(tmp_path), chances, truths, measured_on="validation")
    assert [point.label for point in points] == ["severe", "referable"]
    referable = points[1]
    said = chances[:, 1:].sum(1) >= referable.threshold
    assert referable.sensitivity == pytest.approx(said[truths > 0].mean(), abs=1e-4)
    assert referable.sensitivity >= 0.9
    assert referable.specificity == pytest.approx((~said[truths == 0]).mean(), abs=1e-4)


def test_words_of_a_group_do_not_decide_the_weights(tmp_path):
    other = recipe(tmp_path, GRADES.replace('title = "Referable"', 'title = "Refer"'))
    assert other.fingerprint() == recipe(tmp_path).fingerprint()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('["mild", "severe"]\npos', '["mild", "worse"]\npos', "names 'worse', which is none of"),
        ('labels = ["mild", "severe"]\npos', "labels = []\npos", "names no labels"),
        ('code = "referable"\n', "", r"The recipe lacks 'group\[0\].code'"),
        ('priority = "urgent"', 'colour = "red"', "It knows: code, title, labels, positive"),
    ],
)
def test_a_mistake_in_a_group_is_named(tmp_path, old, new, sentence):
    assert old in GRADES
    with pytest.raises(BadConfiguration, match=sentence):
        groups_of(recipe(tmp_path, GRADES.replace(old, new)))
