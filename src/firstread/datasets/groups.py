"""Samples that must stay together: those of one patient, and those that show the same."""

from __future__ import annotations

from collections.abc import Iterator

from firstread.datasets.dataset import Dataset
from firstread.datasets.kinds import KINDS
from firstread.datasets.pictures.near import NearDuplicates
from firstread.datasets.together import together


def groups(dataset: Dataset, *, near: NearDuplicates | None = None) -> list[tuple[int, ...]]:
    """The items that must stay together: those of one patient, exact and near duplicates, joined
    through each other. `near` are the near duplicates, where they were looked for before.

    >>> from firstread.datasets.dataset import Dataset, Item
    >>> rows = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "2")]
    >>> items = tuple(Item(path=path, label="x", patient=who) for path, who in rows)
    >>> groups(Dataset("small", "image", items, str.encode))
    [(0, 2), (1, 3)]
    """
    if near is None:
        kind = KINDS[dataset.kind]
        near = kind.near(kind.look(dataset))
    return together(len(dataset.items), _joined(dataset, near))


def _joined(dataset: Dataset, near: NearDuplicates) -> Iterator[tuple[int, int]]:
    alike = KINDS[dataset.kind].equal_bytes_are_one
    seen: dict[str, int] = {}
    for index, (item, digest) in enumerate(zip(dataset.items, dataset.hashes, strict=True)):
        keys = [f"sample {digest}"] if alike else []
        keys += [f"patient {item.patient}"] if item.patient else []
        for key in keys:
            yield seen.setdefault(key, index), index
    for pair in near.pairs:
        yield pair.first, pair.second
