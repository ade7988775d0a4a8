"""A dataset is parted once, by patient: training, validation and test never share a person or a
picture, nor a picture that is nearly the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from firstread.datasets.dataset import Dataset, Part
from firstread.datasets.groups import groups


@dataclass(frozen=True, kw_only=True)
class Split:
    """The indices of a dataset's items, in three parts.

    `aside` belongs to none of them: it was given for learning, and shows a patient or a picture
    of a part that was given for validation or test.
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    aside: tuple[int, ...] = ()


def split(dataset: Dataset, *, validation: float, test: float, seed: int) -> Split:
    """Part a dataset by patient, label by label, the same way for the same seed.

    `validation` and `test` are shares of each label's samples. A group goes where a hash of the
    seed and of its own samples sends it, so that the order of the folder does not matter. Parts
    that the maker of the set gave for validation or test stay so, and no more is drawn for them.
    """
    given = {item.part for item in dataset.items}
    shares = {
        "test": 0.0 if "test" in given else test,
        "validation": 0.0 if "validation" in given else validation,
    }
    parts: dict[str, list[int]] = {"test": [], "validation": [], "train": [], "aside": []}
    free: list[tuple[int, ...]] = []
    for members in groups(dataset):
        kept = _given(dataset, members)
        if kept is None:
            free.append(members)
            continue
        for index in members:
            parts[kept if dataset.items[index].part == kept else "aside"].append(index)
    for part, members in _drawn(dataset, free, shares=shares, seed=seed):
        parts[part].extend(members)
    return Split(**{name: tuple(sorted(part)) for name, part in parts.items()})


def _given(dataset: Dataset, members: tuple[int, ...]) -> Part | None:
    """The part that the group was given to; None where it is free to be drawn."""
    parts = {dataset.items[index].part for index in members}
    return "test" if "test" in parts else "validation" if "validation" in parts else None


def _drawn(
    dataset: Dataset, free: list[tuple[int, ...]], *, shares: dict[str, float], seed: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The part of each group: label by label, in the order of the hashes, as the shares fill."""
    hashes = dataset.hashes
    by_label: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for members in free:
        counts = Counter(dataset.items[index].label for index in members)
        label = max(counts, key=lambda one: (counts[one], one))
        key = min(hashes[index] + dataset.items[index].patient for index in members)
        place = hashlib.sha256(f"{seed} {key}".encode()).hexdigest()
        by_label.setdefault(label, []).append((place, members))
    for chosen in by_label.values():
        total = sum(len(members) for _, members in chosen)
        filled = 0
        for _, members in sorted(chosen):
            share = (filled + len(members) / 2) / total
            filled += len(members)
            if share < shares["test"]:
                yield "test", members
            elif share < shares["test"] + shares["validation"]:
                yield "validation", members
            else:
                yield "train", members
