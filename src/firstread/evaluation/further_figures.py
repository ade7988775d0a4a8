"""What was asked beside the figures of a pack on its set: parts of it, another pack, strangers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from firstread.evaluation.compare import Comparison
from firstread.evaluation.strangers import Refusals
from firstread.evaluation.strangers_read import Foreign
from firstread.evaluation.subgroups import Subgroup


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The comparison with a second pack, and what both are called."""

    first: str
    second: str
    comparison: Comparison

    @property
    def sentence(self) -> str:
        """What it comes to."""
        return self.comparison.sentence(self.first, self.second)


@dataclass(frozen=True, kw_only=True)
class More:
    """All of it; empty where it was not asked for."""

    subgroups: Mapping[str, tuple[Subgroup, ...]] = field(default_factory=dict)
    """Of each column."""
    compared: Compared | None = None
    foreign: tuple[Foreign, ...] = ()
    spoiled: tuple[Refusals, ...] = ()
