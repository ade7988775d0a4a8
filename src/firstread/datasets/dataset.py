"""A dataset: labelled samples that are read only when asked for, each under its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Item:
    """One labelled sample: where it lies, what it shows, and whose it is (empty where unknown)."""

    path: str
    label: str
    patient: str = ""
    measurements: tuple[tuple[str, float | None], ...] = ()


@dataclass(frozen=True)
class Dataset:
    """An immutable set of labelled samples of one kind, `image` or `measurements`.

    `fetch` gives the bytes of an image by its path; measurements stand in the items themselves.
    """

    name: str
    kind: str
    items: tuple[Item, ...]
    fetch: Callable[[str], bytes]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that occur, sorted."""
        return tuple(sorted({item.label for item in self.items}))

    def data(self, item: Item) -> bytes:
        """The sample's bytes; a row of measurements as its text."""
        return (
            repr(item.measurements).encode()
            if self.kind == "measurements"
            else self.fetch(item.path)
        )

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
