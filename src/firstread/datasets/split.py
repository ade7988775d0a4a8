"""A dataset is parted once, by patient: training, validation and test never share a person or a
picture."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from firstread.datasets.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Split:
    """The indices of a dataset's items, in three parts."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


def groups(dataset: Dataset) -> list[tuple[int, ...]]:
    """The items that must stay together: those of one patient, and exact duplicates, joined through
    both.

    >>> from firstread.datasets.dataset import Dataset, Item
    >>> rows = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "2")]
    >>> items = tuple(Item(path=path, label="x", patient=who) for path, who in rows)
    >>> groups(Dataset("small", "image", items, str.encode))
    [(0, 2), (1, 3)]
    """
    parent = list(range(len(dataset.items)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    seen: dict[str, int] = {}
    for index, (item, digest) in enumerate(zip(dataset.items, dataset.hashes, strict=True)):
        # Equal rows of measurements are two people with equal cells, not one sample twice.
        keys = [f"sample {digest}"] if dataset.kind == "image" else []
        keys += [f"patient {item.patient}"] if item.patient else []
        for key in keys:
            first = seen.setdefault(key, index)
            parent[root(index)] = root(first)
    together: dict[int, list[int]] = {}
    for index in range(len(parent)):
        together.setdefault(root(index), []).append(index)
    return [tuple(members) for members in together.values()]


def split(dataset: Dataset, *, validation: float, test: float, seed: int) -> Split:
    """Part a dataset by patient, label by label, the same way for the same seed.

    `validation` and `test` are shares of each label's samples. A group goes where a hash of the
    seed and of its own samples sends it, so that the order of the folder does not matter.
    """
    hashes = dataset.hashes
    by_label: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for members in groups(dataset):
        counts = Counter(dataset.items[index].label for index in members)
        label = max(counts, key=lambda one: (counts[one], one))
        key = min(hashes[index] + dataset.items[index].patient for index in members)
        place = hashlib.sha256(f"{seed} {key}".encode()).hexdigest()
        by_label.setdefault(label, []).append((place, members))
    parts: dict[str, list[int]] = {"test": [], "validation": [], "train": []}
    for chosen in by_label.values():
        total = sum(len(members) for _, members in chosen)
        filled = 0
        for _, members in sorted(chosen):
            share = (filled + len(members) / 2) / total
            part = (
                "test" if share < test else "validation" if share < test + validation else "train"
            )
            parts[part].extend(members)
            filled += len(members)
    return Split(**{name: tuple(sorted(part)) for name, part in parts.items()})
