"""What a case's steps must know of a kind of sample: how it comes in, what reading it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from firstread.clinic.steps.files import Incoming, Open
from firstread.domain.kinds import Kinds
from firstread.packs import Manifest

Row = Callable[[Mapping[str, float | None], Manifest], bytes]
"""The bytes of a row of measurements; raises BadMeasurement where the pack would refuse it."""


def each_alone(files: Sequence[Incoming]) -> Sequence[Sequence[int]]:
    """Each file is a sample.

    >>> each_alone([Incoming(data=b"a"), Incoming(data=b"b")])
    [(0,), (1,)]
    """
    return [(place,) for place in range(len(files))]


def nothing(sample: str) -> None:
    """No page would wait for anything."""


@dataclass(frozen=True, kw_only=True)
class KindOfCase:
    """How samples of a kind come in and are read in the clinic: as files, or as rows."""

    opened: Open | None = None
    """None where samples are no files."""
    together: Callable[[Sequence[Incoming]], Sequence[Sequence[int]]] = each_alone
    """The places of files that are one sample, by their names and what they say."""
    row: Row | None = None
    """None where samples are no rows, so that a file holds one and not a table of many."""
    equal_tells: bool = True
    """Whether two accessions with equal samples may be one that was mistyped."""
    after_read: Callable[[str], None] = nothing
    """Makes of the sample of that hash, once it is read, what pages would have to wait for."""
    not_from_edge: str = ""
    """Why a read that an edge made does not count here; '' where it may."""


KINDS = Kinds(__name__, KindOfCase)
