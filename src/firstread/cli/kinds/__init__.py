"""What the command line must know of a kind of sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firstread.domain.kinds import Kinds

if TYPE_CHECKING:
    from firstread.cli.parcels import Asked, Parcel
    from firstread.cli.samples import ToRead
    from firstread.tables.columns import TakesMeasurements

RowsOf = Callable[[Iterable["ToRead"], "TakesMeasurements"], Iterator["ToRead"]]
ParcelsOf = Callable[[Sequence[Path], "Asked"], "list[Parcel]"]


@dataclass(frozen=True, kw_only=True)
class KindOnTheLine:
    """How files that a person names become samples, and what is said of labelled ones."""

    rows_of: RowsOf | None = None
    """The samples in files that may hold many; None where each file is one."""
    parcels_of: ParcelsOf
    """What `submit` sends, one request each."""
    one: str = "sample"
    """What a labelled sample is called."""
    counted: str = ""
    """What is counted by label, where it is not the samples."""
    has_near_duplicates: bool = False
    """Whether two that show the same can be told from others."""
    is_told_apart: bool = True
    """Whether a pack's network has one vector for each label, to find wrong ones by."""


KINDS = Kinds(__name__, KindOnTheLine)
