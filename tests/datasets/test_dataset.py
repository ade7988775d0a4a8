"""A set's labels in the words of a pack."""

from __future__ import annotations

import pytest

from firstread.datasets.dataset import Dataset, Item, named
from firstread.domain.errors import BadDataset

CODES = ("none", "mild", "severe")


def labelled(*labels: str) -> Dataset:
    items = tuple(Item(path=str(place), label=label) for place, label in enumerate(labels))
    return Dataset("set", "image", items, str.encode)


def test_numbers_that_count_from_0_are_the_pack_s_labels():
    assert named(labelled("0", "2"), CODES).labels == ("none", "severe")


@pytest.mark.parametrize("labels", [("1", "2", "3"), ("1", "2"), ("3",)])
def test_numbers_that_may_count_from_1_are_refused(labels):
    with pytest.raises(BadDataset, match=r"may count from 0 or from 1\. Name them in words: none"):
        named(labelled(*labels), CODES)
