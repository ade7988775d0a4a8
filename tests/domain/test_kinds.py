"""A floor's kinds are found by the files that lie in its folder, and imported when asked for."""

import sys
import textwrap

import pytest

from firstread.domain.errors import UnknownKind
from firstread.domain.kinds import Kinds


@pytest.fixture
def floor(tmp_path, monkeypatch):
    """A package with two kinds, and a folder beside it that can be added to its path."""
    kinds = tmp_path / "floor_for_test" / "kinds"
    kinds.mkdir(parents=True)
    (kinds.parent / "__init__.py").write_text("")
    (kinds / "__init__.py").write_text(
        textwrap.dedent("""
            from dataclasses import dataclass
            from firstread.domain.kinds import Kinds

            @dataclass(frozen=True)
            class Sort:
                one: str

            KINDS = Kinds(__name__, Sort)
        """)
    )
    for name in ("recording", "image"):
        (kinds / f"{name}.py").write_text(
            f"from floor_for_test.kinds import Sort\nKIND = Sort({name!r})\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield kinds
    for name in [each for each in sys.modules if each.startswith("floor_for_test")]:
        del sys.modules[name]


def _kinds() -> Kinds:
    from floor_for_test.kinds import KINDS

    return KINDS


def test_a_floors_kinds_are_the_files_of_its_folder(floor):
    assert _kinds().names() == ("image", "recording")
    assert _kinds()["recording"].one == "recording"


def test_a_kind_is_imported_when_it_is_asked_for_and_not_before(floor):
    kinds = _kinds()
    assert "image" in kinds
    assert "floor_for_test.kinds.image" not in sys.modules
    assert kinds["image"] is kinds["image"]
    assert "floor_for_test.kinds.image" in sys.modules
    assert "floor_for_test.kinds.recording" not in sys.modules


def test_a_file_more_is_a_kind_more(floor, tmp_path):
    kinds = _kinds()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "melody.py").write_text(
        "from floor_for_test.kinds import Sort\nKIND = Sort('melody')\n"
    )
    sys.modules["floor_for_test.kinds"].__path__.append(str(tmp_path / "elsewhere"))
    assert list(kinds) == ["image", "melody", "recording"]
    assert kinds["melody"].one == "melody"


def test_an_unknown_kind_is_refused_with_the_kinds_there_are(floor):
    assert "../kinds/image" not in _kinds()
    with pytest.raises(UnknownKind, match=r"no samples of kind 'smell': it knows image and record"):
        _kinds()["smell"]


def test_a_module_that_holds_something_else_is_named(floor):
    (floor / "slide.py").write_text("KIND = 'slide'\n")
    with pytest.raises(TypeError, match=r"floor_for_test\.kinds\.slide must hold KIND, a Sort"):
        _kinds()["slide"]
