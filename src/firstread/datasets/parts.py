"""The names that makers of sets give to the parts they split them into."""

from __future__ import annotations

from firstread.datasets.dataset import Part

PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""The word in lower case, and the part that it means."""


def part_of(word: str) -> Part:
    """The part that a word means; '' where it means none.

    >>> part_of("Training"), part_of("val"), part_of("blast")
    ('train', 'validation', '')
    """
    return PARTS.get(word.casefold(), "")
