"""What the room of labelled samples knows of each kind: how its samples are looked at, told apart,
counted, shown and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.pictures.looks import Looks
from firstread.datasets.pictures.near import NearDuplicates
from firstread.datasets.sample import Sample, Stored
from firstread.domain.kinds import Kinds


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What looking at every sample once has told."""

    errors: Mapping[int, str] = field(default_factory=dict)
    """Why a sample cannot be opened, by the number of its item."""
    looks: Looks | None = None
    """Of samples that are pictures."""

    def only(self, numbers: Sequence[int]) -> Seen:
        """The same of these items alone, in this order."""
        errors = {at: self.errors[n] for at, n in enumerate(numbers) if n in self.errors}
        return replace(self, errors=errors, looks=self.looks and self.looks.only(numbers))


class Look(Protocol):
    """Looks at every sample once, and calls `step` after each."""

    def __call__(self, dataset: Dataset, *, step: Callable[[], None] = ...) -> Seen: ...


def _no_near(seen: Seen) -> NearDuplicates:  # noqa: ARG001  as every kind
    return NearDuplicates(pairs=(), threshold=1.0)


def _by_label(dataset: Dataset) -> Mapping[str, int]:
    return Counter(item.label for item in dataset.items)


def sample_of(dataset: Dataset, item: Item) -> Sample:
    """An item of any set as it can be written into another."""
    return Sample(
        label=item.label,
        data=b"" if item.measurements else dataset.fetch(item.path),
        measurements=dict(item.measurements),
        name=item.path,
        patient=item.patient,
        part=item.part,
        places=item.places,
        columns=dict(item.columns),
    )


@dataclass(frozen=True, kw_only=True)
class KindOfSamples:
    """What must be known of a kind before a set of its samples is inspected, parted or written."""

    look: Look
    stored: Callable[[Sample], Stored | None]
    """The files that a sample becomes, none where it is a row of the table; raises BadDataset."""
    give: Callable[[Dataset, Item], Sample] = sample_of
    one: str = "sample"
    """What one is called on a page."""
    equal_bytes_are_one: bool = True
    """Whether the same bytes twice are one sample twice."""
    near: Callable[[Seen], NearDuplicates] = _no_near
    describe: Callable[[Dataset, Seen], NDArray[np.float64]] | None = None
    """Rows [N, D] that tell samples apart where no pack does; None where there are none."""
    told_apart_by: str = ""
    """What those rows are."""
    count: Callable[[Dataset], Mapping[str, int]] = _by_label
    """How often each label was given."""
    thumbnail: Callable[[bytes], bytes] | None = None
    """A small picture of a sample, where it can be shown as one."""


KINDS = Kinds(__name__, KindOfSamples)
