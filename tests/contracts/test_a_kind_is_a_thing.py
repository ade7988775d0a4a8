"""What differs from kind to kind stands in the folders `kinds/`: nobody asks what one is called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from firstread.domain.kinds import WORDS

SOURCE = Path(__file__).parents[2] / "src/firstread"
NAMES = frozenset(WORDS.names())
_IN_TEXT = re.compile(
    rf"kind\s*(==|!=|===|!==|in)\s*\(?['\"]({'|'.join(NAMES)})['\"]"
    rf"|kind\s*=\s*'({'|'.join(NAMES)})'"
    rf"|(===|!==)\s*['\"]({'|'.join(NAMES)})['\"]"
)
"""In templates, scripts, and questions to a database."""


def _asks(node: ast.expr) -> bool:
    """Whether the expression is somebody's kind: `check.kind`, `kind`, `told["kind"]`."""
    return re.search(r"\bkind\b", ast.unparse(node)) is not None


def _names_a_kind(node: ast.AST) -> bool:
    return any(isinstance(e, ast.Constant) and e.value in NAMES for e in ast.walk(node))


def _is_a_question(node: ast.AST) -> bool:
    match node:
        case ast.Compare(left=left, comparators=others):
            return any(map(_asks, [left, *others])) and any(map(_names_a_kind, [left, *others]))
        case ast.Match(subject=subject, cases=cases):
            return _asks(subject) and any(_names_a_kind(case.pattern) for case in cases)
        case ast.Dict(keys=keys):
            return len(NAMES & {e.value for e in keys if isinstance(e, ast.Constant)}) > 1
        case ast.Subscript(value=ast.Name(id="Literal"), slice=said):
            return sum(isinstance(e, ast.Constant) and e.value in NAMES for e in ast.walk(said)) > 1
        case ast.Constant(value=str(text)):
            return _IN_TEXT.search(text) is not None
    return False


def questions_in(text: str) -> Iterator[int]:
    """The lines on which Python asks whether a kind is called so."""
    for node in ast.walk(ast.parse(text)):
        if _is_a_question(node):
            yield node.lineno


def test_nobody_asks_what_a_kind_is_called() -> None:
    found = [
        f"{path}:{line}"
        for path in (each.relative_to(SOURCE) for each in SOURCE.rglob("*.py"))
        if "kinds" not in path.parts and "migrations" not in path.parts
        for line in questions_in((SOURCE / path).read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_template_and_no_script_asks_what_a_kind_is_called() -> None:
    files = [*SOURCE.rglob("*.html"), *SOURCE.glob("clinic/static/clinic/js/*.js")]
    assert len(files) > 30
    found = [
        f"{path.relative_to(SOURCE)}:{text[: match.start()].count(chr(10)) + 1}"
        for path in files
        for text in [path.read_text(encoding="utf-8")]
        for match in _IN_TEXT.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        'x = check.kind == "recording"',
        'if manifest.pack.kind != "image": pass',
        'x = asked["kind"] in ("image", "recording")',
        'x = "measurements" == kind',
        'ONE = {"image": "picture", "recording": "recording"}',
        'kind: Literal["image", "measurements"]',
        'match sample.kind:\n    case "recording": pass',
        "rows = db.execute(\"SELECT * FROM entry WHERE kind = 'image'\")",
    ],
)
def test_a_question_is_seen_wherever_it_is_planted(planted: str) -> None:
    assert list(questions_in(planted)) == [1]


@pytest.mark.parametrize(
    "planted", ['{% if check.kind == "recording" %}', 'if (one === "recording") joins(file);']
)
def test_a_question_of_a_page_is_seen(planted: str) -> None:
    assert _IN_TEXT.search(planted)


def test_two_kinds_may_be_compared_with_each_other() -> None:
    assert not list(questions_in("x = dataset.kind != pack.kind"))
