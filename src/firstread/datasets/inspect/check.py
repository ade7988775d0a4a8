"""What is wrong with a set of labelled samples, before anybody learns from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.dataset import Dataset
from firstread.datasets.groups import groups
from firstread.datasets.inspect.suspects import Suspects, find_suspects
from firstread.datasets.kinds import KINDS, Seen
from firstread.datasets.pictures.near import NearDuplicates
from firstread.datasets.together import together

SAME = 0.99
"""From this likeness on two pictures with two labels are a conflict, and not neighbours."""


@dataclass(frozen=True, kw_only=True)
class NearPair:
    """Two samples that show nearly the same, by their paths."""

    first: str
    second: str
    first_label: str
    second_label: str
    likeness: float
    turned: bool


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """One picture that lies there more than once, under more than one label."""

    paths: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SuspectLabel:
    """A sample whose label may be wrong, and what it looks like."""

    path: str
    label: str
    looks_like: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that a check found; paths are those of the dataset's items."""

    name: str
    kind: str
    n: int
    labels: dict[str, int]
    """How many samples have each label; of recordings, how many beats."""
    parts: dict[str, int]
    patients: int | None
    """None where no sample has one."""
    without_patient: int
    sizes_px: dict[str, int]
    """How many pictures there are of each size, the most frequent first."""
    duplicates: tuple[tuple[str, ...], ...]
    near_duplicates: tuple[NearPair, ...]
    near_from: float
    groups: int
    """How many groups of samples must stay on one side of a split, and how large the largest is."""
    largest_group: int
    conflicts: tuple[Conflict, ...]
    unreadable: tuple[tuple[str, str], ...]
    unlabelled: tuple[str, ...]
    suspects: tuple[SuspectLabel, ...]
    told_apart_by: str
    told_apart: float | None
    """The share of the samples that the fit behind the suspects names as they are labelled."""
    remark: str

    @property
    def costs_trust(self) -> bool:
        """Whether something must be put right before figures mean anything."""
        return bool(self.conflicts or self.unreadable)

    def as_dict(self) -> dict[str, Any]:
        """The findings as plain JSON values."""
        return asdict(self) | {"costs_trust": self.costs_trust}


def check(
    dataset: Dataset,
    *,
    rows: NDArray[np.float64] | None = None,
    told_apart_by: str = "",
    step: Callable[[], None] = lambda: None,
) -> Findings:
    """Look at every sample once, and compare them; `step` is called after each.

    `rows` [N, D], such as a pack's embeddings, tell samples apart for the suspect labels; without
    them colours, shades and edges do. Samples that cannot be opened are listed, not raised.

    >>> from firstread.datasets.dataset import Item
    >>> items = tuple(Item(path=path, label=path[0]) for path in ("a1", "b1"))
    >>> check(Dataset("two", "image", items, lambda path: b"no picture")).costs_trust
    True
    """
    kind = KINDS[dataset.kind]
    seen = kind.look(dataset, step=step)
    readable = [number for number in range(len(dataset.items)) if number not in seen.errors]
    whole, kept = _kept(dataset, readable), seen.only(readable)
    if rows is not None:
        rows = rows[readable]
    elif kind.describe is not None and whole.items:
        rows, told_apart_by = kind.describe(whole, kept), told_apart_by or kind.told_apart_by
    near = kind.near(kept)
    sides = groups(whole, near=near)
    unknown = Suspects(found=(), right=None)
    suspects = unknown if rows is None else find_suspects(whole, rows, together=sides)
    patients = {item.patient for item in dataset.items} - {""}
    return Findings(
        name=dataset.name,
        kind=dataset.kind,
        n=len(dataset.items),
        labels=dict(Counter(kind.count(dataset)).most_common()),
        parts=dict(Counter(item.part for item in dataset.items if item.part)),
        patients=len(patients) or None,
        without_patient=sum(not item.patient for item in dataset.items),
        sizes_px=_sizes(seen),
        duplicates=_exact(whole),
        near_duplicates=_near(whole, near),
        near_from=near.threshold,
        groups=len(sides),
        largest_group=max((len(members) for members in sides), default=0),
        conflicts=_conflicts(whole, near),
        unreadable=tuple((dataset.items[at].path, why) for at, why in sorted(seen.errors.items())),
        unlabelled=dataset.unlabelled,
        suspects=_named(whole, suspects),
        told_apart_by=told_apart_by if rows is not None else "",
        told_apart=suspects.right,
        remark=dataset.remark,
    )


def _kept(dataset: Dataset, readable: list[int]) -> Dataset:
    """The dataset without the samples that cannot be opened."""
    if len(readable) == len(dataset.items):
        return dataset
    items = tuple(dataset.items[number] for number in readable)
    return Dataset(dataset.name, dataset.kind, items, dataset.fetch)


def _sizes(seen: Seen) -> dict[str, int]:
    sizes = () if seen.looks is None else seen.looks.sizes_px
    counts = Counter(size for size in sizes if size != (0, 0))
    return {f"{width}x{height}": n for (width, height), n in counts.most_common()}


def _exact(dataset: Dataset) -> tuple[tuple[str, ...], ...]:
    """Paths of samples with the same bytes, where those are one sample."""
    if not KINDS[dataset.kind].equal_bytes_are_one:
        return ()
    by_hash: dict[str, list[str]] = {}
    for item, digest in zip(dataset.items, dataset.hashes, strict=True):
        by_hash.setdefault(digest, []).append(item.path)
    return tuple(tuple(paths) for paths in by_hash.values() if len(paths) > 1)


def _near(dataset: Dataset, near: NearDuplicates) -> tuple[NearPair, ...]:
    items = dataset.items
    return tuple(
        NearPair(
            first=items[pair.first].path,
            second=items[pair.second].path,
            first_label=items[pair.first].label,
            second_label=items[pair.second].label,
            likeness=pair.likeness,
            turned=pair.turned,
        )
        for pair in near.pairs
        if dataset.hashes[pair.first] != dataset.hashes[pair.second]
    )


def _conflicts(dataset: Dataset, near: NearDuplicates) -> tuple[Conflict, ...]:
    if not KINDS[dataset.kind].equal_bytes_are_one:
        return ()
    first_of: dict[str, int] = {}
    pairs = [
        (first_of.setdefault(digest, number), number)
        for number, digest in enumerate(dataset.hashes)
    ]
    pairs += [(pair.first, pair.second) for pair in near.pairs if pair.likeness >= SAME]
    found = []
    for members in together(len(dataset.items), pairs):
        labels = {dataset.items[number].label for number in members}
        if len(labels) > 1:
            paths = tuple(dataset.items[number].path for number in members)
            found.append(Conflict(paths=paths, labels=tuple(sorted(labels))))
    return tuple(found)


def _named(dataset: Dataset, suspects: Suspects) -> tuple[SuspectLabel, ...]:
    return tuple(
        SuspectLabel(
            path=dataset.items[one.number].path,
            label=dataset.items[one.number].label,
            looks_like=one.looks_like,
            probability=one.probability,
        )
        for one in suspects.found
    )
