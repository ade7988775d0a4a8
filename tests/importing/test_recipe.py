"""A recipe for importing and the options are taken at their word or refused, never passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from firstread.domain.errors import BadConfiguration
from firstread.importing.recipe import Said, make_plan

RECIPE = """
kind = "import"
name = "scans"

[pack]
check = "scans"

[model]
answers = "logits"

[pixels]
scale = "1/255"
mean = 0.5

[[label]]
code = "well"
title = "Well"

[[label]]
code = "ill"
title = "Ill"
positive = true
sensitivity = 0.9
"""
ROWS = '\n[[measurement]]\ncode = "size"\nminimum = 1\nmaximum = 10\n'


def planned(tmp_path: Path, recipe: str = RECIPE, **said: str):
    (tmp_path / "scans.toml").write_text(recipe)
    return make_plan(Said(**said), recipe=str(tmp_path / "scans.toml"))


def test_a_recipe_says_it_all(tmp_path):
    plan = planned(tmp_path)
    assert (plan.name, plan.check, plan.title, plan.answers) == (
        "scans",
        "scans",
        "Scans",
        "logits",
    )
    assert (plan.pixels.scale, plan.pixels.mean) == (1 / 255, (0.5,))
    assert [label.positive for label in plan.labels] == [False, True]
    assert plan.sensitivities == {"ill": 0.9}
    assert (plan.many, plan.one) == (False, "picture")


def test_a_recipe_says_what_one_sample_is_called(tmp_path):
    text = RECIPE.replace("[pack]\n", '[pack]\nmany = true\none = "slice"\n')
    plan = planned(tmp_path, text)
    assert (plan.many, plan.one) == (True, "slice")


def test_options_go_before_the_recipe(tmp_path):
    said = {"positive": "well", "title": "Heads", "scale": "2", "answers": "probabilities"}
    plan = planned(tmp_path, **said)
    assert [label.positive for label in plan.labels] == [True, False]
    assert (plan.title, plan.pixels.scale, plan.answers) == ("Heads", 2.0, "probabilities")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("check =", "chekc ="), "The recipe has 'pack.chekc'"),
        (('check = "scans"', "pixels = 3"), "The recipe has 'pack.pixels'"),
        (
            ('answers = "logits"', 'answers = "words"'),
            "The recipe's 'model.answers' must be one of",
        ),
        (
            ("sensitivity = 0.9", 'sensitivity = "high"'),
            "sensitivity' must be a finite number",
        ),
        (("sensitivity = 0.9", "sensitivity = 95"), "must lie between 0.01 and 1, not 95"),
        (("mean = 0.5", 'mean = "half"'), "'pixels.mean' must be a list"),
        (("mean = 0.5", 'order = "brg"'), "'pixels.order' must be one of"),
        (('scale = "1/255"', 'scale = "nan"'), "scale takes numbers such as"),
        (('title = "Ill"', ""), r"The recipe lacks 'label\[1\].title'"),
        (("[[label]]", "[label]"), r"'label' must be tables, each written \[\[label\]\]"),
    ],
)
def test_a_recipe_that_says_something_odd_is_refused_by_the_key(tmp_path, change, sentence):
    recipe = RECIPE.replace(*change)
    if change[0] == "[[label]]":
        recipe = recipe[: recipe.rindex("[label]")]
    with pytest.raises(BadConfiguration, match=sentence) as refused:
        planned(tmp_path, recipe)
    assert str(refused.value).endswith(("Correct it.", "Add it."))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"positive": "iller"}, "'iller' is to raise the alarm.*Name one of them: well, ill"),
        ({"scale": "inf"}, "--scale takes numbers"),
        ({"ranges": "10:1"}, "has its higher end first"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(tmp_path, said, sentence):
    with pytest.raises(BadConfiguration, match=sentence):
        planned(tmp_path, **said)


def test_a_range_beside_measurements_that_have_their_own_is_refused(tmp_path):
    assert planned(tmp_path, RECIPE + ROWS).measurements[0].maximum == 10
    with pytest.raises(BadConfiguration, match="Leave --range out"):
        planned(tmp_path, RECIPE + ROWS, ranges="1:5")
