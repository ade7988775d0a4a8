"""A dataset: labelled samples that are read only when asked for, each under its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from firstread.domain.errors import BadDataset

Part = Literal["", "train", "validation", "test"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a sample came from: its source and licence in words, when, and the SHA-256 it had."""

    source: str = ""
    licence: str = ""
    at: str = ""
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One labelled sample: where it lies, what it shows, and whose it is (empty where unknown).

    `part` is the part that whoever made the set gave it to; `columns` are what else a table says
    of it; `places` are points x, y in pixels where it shows what its label says; `origin` is known
    where Firstread wrote the set.
    """

    path: str
    label: str
    patient: str = ""
    measurements: tuple[tuple[str, float | None], ...] = ()
    part: Part = ""
    columns: tuple[tuple[str, str], ...] = ()
    places: tuple[tuple[float, float], ...] = ()
    origin: Origin | None = None


@dataclass(frozen=True)
class Dataset:
    """An immutable set of labelled samples of one kind.

    `fetch` gives the bytes of a sample by its path; measurements stand in the items themselves.
    `unlabelled` are samples that lie beside them without a label; `remark` says what such sets
    leave unknown.
    """

    name: str
    kind: str
    items: tuple[Item, ...]
    fetch: Callable[[str], bytes]
    unlabelled: tuple[str, ...] = ()
    remark: str = ""
    told: tuple[str, ...] = ()
    """What of its tables was not read, or had to be supposed."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that occur, sorted."""
        return tuple(sorted({item.label for item in self.items}))

    def data(self, item: Item) -> bytes:
        """The sample's bytes; a row of measurements as its text."""
        if item.measurements:
            return text_of(item.measurements)
        return self.fetch(item.path)

    def sample(self, item: Item) -> bytes | dict[str, float | None]:
        """What a reader is given of it: its row of measurements, or else its bytes."""
        return dict(item.measurements) if item.measurements else self.data(item)

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """The SHA-256 of every sample, in the order of the items."""
        return tuple(hashlib.sha256(self.data(item)).hexdigest() for item in self.items)

    @cached_property
    def sha256(self) -> str:
        """One hash of the whole set: of every sample's hash and label, in order of the hashes."""
        lines = sorted(
            f"{digest} {item.label}\n" for digest, item in zip(self.hashes, self.items, strict=True)
        )
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def text_of(measurements: tuple[tuple[str, float | None], ...]) -> bytes:
    """A row of measurements as the bytes that stand for it in hashes."""
    return repr(measurements).encode()


def named(dataset: Dataset, codes: Sequence[str]) -> Dataset:
    """The dataset with its labels in the words of a pack or recipe, as far as they are known.

    A label in another case becomes the code; where all labels are whole numbers and none is a
    code, label i becomes the i-th code, counted from 0, as MedMNIST counts. Others stay. Raises
    BadDataset where such numbers seem to count from 1: nobody knows then which label is meant.

    >>> rows = tuple(Item(path=str(i), label=label) for i, label in enumerate(["0", "1"]))
    >>> named(Dataset("set", "image", rows, str.encode), ["well", "ill"]).labels
    ('ill', 'well')
    """
    words = {label: _code_of(label, codes) for label in dataset.labels}
    unknown = [label for label, code in words.items() if code is None]
    numbers = {int(label) for label in unknown if _is_index(label, len(codes) + 1)}
    if len(unknown) == len(words) == len(numbers) and numbers and 0 not in numbers:
        raise BadDataset(
            f"The labels of {dataset.name} are the numbers {min(numbers)} to {max(numbers)}, which "
            f"may count from 0 or from 1. Name them in words: {', '.join(codes[:8])}."
        )
    if len(unknown) == len(words) and all(_is_index(label, len(codes)) for label in unknown):
        words = {label: codes[int(label)] for label in unknown}
    if all(code in (None, label) for label, code in words.items()):
        return dataset
    items = tuple(replace(item, label=words[item.label] or item.label) for item in dataset.items)
    return replace(dataset, items=items)


def _code_of(label: str, codes: Sequence[str]) -> str | None:
    if label in codes:
        return label
    same = [code for code in codes if code.casefold() == label.casefold()]
    return same[0] if len(same) == 1 else None


def _is_index(label: str, count: int) -> bool:
    return label.isascii() and label.isdigit() and len(label) < 6 and int(label) < count
