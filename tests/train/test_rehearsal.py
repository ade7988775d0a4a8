"""What no pack may say is refused before a recipe costs any time."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from firstread.domain.errors import BadConfiguration
from firstread.train.recipe import Recipe, find_recipe, open_recipe
from firstread.train.rehearsal import rehearse

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
TRAINED = sorted(
    path.stem for path in RECIPES.glob("*.toml") if 'kind = "import"' not in path.read_text()
)


def malaria() -> Recipe:
    return open_recipe(find_recipe("malaria-cell"))


@pytest.mark.parametrize("name", TRAINED)
def test_every_shipped_recipe_makes_a_pack_that_is_taken(name: str):
    rehearse(open_recipe(find_recipe(name)))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('one = "CELL 1"', "pack.one"),
        ('many = "yes"', "pack.many"),
        ("title = 3", "pack.title"),
        ('intended_us = "x"', "pack.intended_us"),
    ],
)
def test_a_mistake_in_the_pack_table_is_named(tmp_path: Path, said: str, found: str):
    text = (RECIPES / "malaria-cell.toml").read_text()
    head, mark, pack = text.partition("[pack]\n")
    key = said.split(" ", maxsplit=1)[0]
    kept = "".join(line for line in pack.splitlines(keepends=True) if line.split(" ")[0] != key)
    (tmp_path / "wrong.toml").write_text(f"{head}{mark}{said}\n{kept}")
    with pytest.raises(BadConfiguration, match=found):
        open_recipe(tmp_path / "wrong.toml")


@pytest.mark.parametrize(
    ("change", "found"),
    [({"version": "a b"}, "pack.version"), ({"name": "../x"}, "pack.name")],
)
def test_a_mistake_above_the_tables_is_named_with_its_remedy(change: dict[str, str], found: str):
    with pytest.raises(BadConfiguration, match=rf"{found}.*Correct the recipe\.$") as caught:
        rehearse(replace(malaria(), **change))  # type: ignore[arg-type]  # any field of a recipe
    assert "Train or copy" not in str(caught.value)


def test_a_mistake_in_a_label_is_named():
    recipe = malaria()
    first, second = recipe.labels
    wrong = replace(recipe, labels=(first, replace(second, code=first.code)))
    with pytest.raises(BadConfiguration, match="must be those of its first"):
        rehearse(wrong)
