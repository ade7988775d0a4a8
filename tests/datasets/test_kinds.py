"""What a room must know of a kind of sample stands in one file; a kind more is a file more."""

import sys
import textwrap

import pytest

from firstread.datasets import Dataset, Item, open_dataset, split
from firstread.datasets.inspect.check import check
from firstread.datasets.inspect.page import page
from firstread.datasets.kinds import KINDS
from firstread.datasets.write import samples_of, write_dataset

MELODY = """
from firstread.datasets.kinds import KindOfSamples, Seen
from firstread.datasets.sample import Stored

def look(dataset, *, step=lambda: None):
    return Seen(errors={n: "No tune." for n, item in enumerate(dataset.items) if "x" in item.path})

def stored(sample):
    return Stored(ending=".tune", data=sample.data)

KIND = KindOfSamples(look=look, stored=stored, one="melody", equal_bytes_are_one=False)
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


def test_a_set_of_a_fourth_kind_is_inspected_shown_parted_and_written(melody, tmp_path):
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
    write_dataset(samples_of(dataset), to=tmp_path / "out", kind="melody")
    again = open_dataset(tmp_path / "out")
    assert (again.kind, again.sha256) == ("melody", dataset.sha256)
    assert again.items[0].path == "samples/000/000000-0.tune"
