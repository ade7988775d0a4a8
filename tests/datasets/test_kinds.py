"""What a room must know of a kind of sample stands in one file; a kind more is a file more."""

import sys
import textwrap

import pytest

from firstread.datasets import Dataset, Item, split
from firstread.datasets.inspect.check import check
from firstread.datasets.inspect.page import page
from firstread.datasets.kinds import KINDS

MELODY = """
from firstread.datasets.kinds import KindOfSamples, Seen

def look(dataset, *, step=lambda: None):
    return Seen(errors={n: "No tune." for n, item in enumerate(dataset.items) if "x" in item.path})

KIND = KindOfSamples(look=look, one="melody", equal_bytes_are_one=False)
"""


@pytest.fixture
def melody(tmp_path, monkeypatch):
    """A fourth kind, in a file of its own."""
    import firstread.datasets.kinds as floor

    (tmp_path / "melody.py").write_text(textwrap.dedent(MELODY))
    monkeypatch.setattr(floor, "__path__", [*floor.__path__, str(tmp_path)])
    yield
    KINDS._found.pop("melody")
    sys.modules.pop("firstread.datasets.kinds.melody")


def test_a_set_of_a_fourth_kind_is_inspected_shown_and_parted(melody):
    items = tuple(Item(path=f"{n}{'x' * (n == 3)}", label="ab"[n % 2]) for n in range(20))
    dataset = Dataset("tunes", "melody", items, lambda _: b"the same")
    found = check(dataset)
    assert found.unreadable == (("3x", "No tune."),)
    assert found.duplicates == ()
    assert "One melody under two labels" in page(dataset, found)
    parts = split(dataset, validation=0.2, test=0.2, seed=1)
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 20
    assert parts.validation
    assert parts.test
