"""Doors parse, call one step and answer: the rows are asked for in `shown`, `steps` and beneath.

Read is the source of each module of a door. A query begins with a manager (`Case.objects`, or
`case.samples.all()` of a row that is at hand), so neither may stand there; and a model that is
imported may only say what a value is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models import Choices

import firstread.clinic
from firstread.clinic import models

CLINIC = Path(firstread.clinic.__file__).parent
DOORS = ("api", "doors", "web")
"""Rooms that hold to this."""

QUERIES = set(
    """
    aggregate all annotate bulk_create bulk_update count create defer delete distinct exclude exists
    filter first get_or_create in_bulk last only order_by prefetch_related refresh_from_db save
    select_for_update select_related update_or_create values_list
    """.split()  # noqa: SIM905  a column of thirty strings is no easier to read
)
"""What managers, querysets and rows are asked for, and nothing else in these modules is."""
MANAGERS = ("objects", "_meta", "_default_manager")
ASKING_IMPORTS = {
    "django.shortcuts": {"get_object_or_404", "get_list_or_404"},
    "django.db": {"connection", "connections", "models", "transaction", "IntegrityError"},
    "firstread.clinic": {"models"},
}
"""What may not be imported, by where it is from; of the modules beneath django.db, nothing."""
ANYWHERE = {"Person"}
"""Whoever signs in is one: doors look whether somebody did."""


def queries_in(source: str) -> list[str]:
    """What of the source asks the database, as `line: what`."""
    tree = ast.parse(source)
    found = [*_managers(tree), *_imports(tree), *_models_in_use(tree)]
    return [f"{line}: {what}" for line, what in sorted(found)]


def _managers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in (
            "objects",
            "_meta",
            "_default_manager",
        ):
            yield node.lineno, f".{node.attr}"
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        # A list is asked for its count of something.
        if node.func.attr in QUERIES and not (node.func.attr == "count" and node.args):
            yield node.lineno, f".{node.func.attr}()"


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                if each.name.startswith(("django.db", "firstread.clinic.models")):
                    yield node.lineno, f"import {each.name}"
        elif isinstance(node, ast.ImportFrom):
            whence = node.module or ""
            for name in [each.name for each in node.names]:
                beneath = whence.startswith("django.db.")
                if beneath or name in ASKING_IMPORTS.get(whence, ()):
                    yield node.lineno, f"from {whence} import {name}"


def _models_in_use(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Models that do more than say, in an annotation, what a value is."""
    imported = {
        each.asname or each.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("firstread.clinic.models")
        for each in node.names
        if each.name not in ANYWHERE and not _is_choice(each.name)
    }
    for node in _outside_annotations(tree):
        if isinstance(node, ast.Name) and node.id in imported:
            yield node.lineno, node.id


def _is_choice(name: str) -> bool:
    found = getattr(models, name, None)
    return isinstance(found, type) and issubclass(found, Choices)


def _outside_annotations(node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child
                yield from _outside_annotations(child)


def modules() -> list[Path]:
    return sorted(path for door in DOORS for path in (CLINIC / door).rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CLINIC)))
def test_a_door_asks_the_database_nothing(path: Path) -> None:
    assert queries_in(path.read_text()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "from firstread.clinic.models import Case\nrows = Case.objects.get(pk=1)",
        "def f(case):\n    return case.samples.all()",
        "def f(case):\n    return case.samples.count()",
        "def f(rows):\n    return rows.filter(check='x')",
        "def f(case):\n    case.save()",
        "from django.db.models import Count",
        "from django.db import transaction",
        "from django.shortcuts import get_object_or_404",
        "from firstread.clinic import models",
        "from firstread.clinic.models import Check\nfields = [Check]",
        "from firstread.clinic.models import Check as Row\nlabel = str(Row)",
    ],
)
def test_a_query_that_is_planted_is_found(planted: str) -> None:
    assert queries_in(planted)


def test_what_a_value_is_may_be_said_with_a_model_and_choices_are_values() -> None:
    source = (
        "from firstread.clinic.models import Case, Person, Role\n"
        "def f(case: Case, names: list[str]) -> list[Case]:\n"
        "    made: list[Case] = []\n"
        "    return made if Role.CHIEF and Person and names.count('x') else [case]\n"
    )
    assert queries_in(source) == []
