"""How a pack is measured on samples of each kind, and what its report can show of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from firstread.datasets import Dataset, Item
from firstread.domain.kinds import Kinds
from firstread.evaluation.evaluation import Evaluation
from firstread.runtime import PackReader


class Evaluate(Protocol):
    """Has every sample of a set read, and compares."""

    def __call__(
        self,
        reader: PackReader,
        dataset: Dataset,
        *,
        threads: int,
        step: Callable[[], None],
        draws: int,
    ) -> Evaluation: ...


def label_of(dataset: Dataset, item: Item) -> str:  # noqa: ARG001  the form of what is told
    """What the sample shows, by which every set can be parted."""
    return item.label


@dataclass(frozen=True, kw_only=True)
class KindOfEvaluation:
    """What measuring must know of a kind of sample."""

    evaluate: Evaluate
    told: Mapping[str, Callable[[Dataset, Item], str]] = field(
        default_factory=lambda: {"label": label_of}
    )
    """By what samples can be parted, beside the columns of tables."""
    in_tables: bool = True
    """Whether tables tell something of what is measured."""
    thumbnail: Callable[[bytes], bytes] | None = None
    """A small picture of a sample; raises UnreadableSample where it cannot be opened."""
    can_be_spoiled: bool = False
    """Whether it can be blurred, darkened, recoloured, ..."""


KINDS = Kinds(__name__, KindOfEvaluation)
