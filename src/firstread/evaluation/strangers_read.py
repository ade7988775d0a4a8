"""What a pack makes of samples that it should not believe: another set's, and its own ones
spoiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from firstread.datasets import Dataset, Item
from firstread.domain.errors import BadDataset, BadMeasurement, UnreadableSample
from firstread.domain.read import Read
from firstread.evaluation.answers import Answers
from firstread.evaluation.kinds import KINDS
from firstread.evaluation.metrics import Share, share_of
from firstread.evaluation.ranking import area_with_interval
from firstread.evaluation.strangers import Refusals, refusals, spoiled
from firstread.runtime import PackReader, read_all

AT_MOST = 500
"""So many foreign samples are read: enough for the second digit, and soon done."""
SPOILED = 150
"""So many own samples are spoiled, each in every way."""


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """How well familiarity tells a set's samples from the pack's own.

    `auroc` is over the familiarity score, 1 where every foreign sample is less familiar than every
    own one; NaN where the pack has no familiarity.
    """

    name: str
    n: int
    auroc: Share
    flagged: Share
    """Unfit or unfamiliar, among the foreign."""
    believed: Share
    """Neither, and answered with 0.9 or more, among the foreign."""
    own_flagged: Share
    """The same among the pack's own, but those whose true label says that a picture is unfit."""


def against(
    reader: PackReader,
    own: Answers,
    foreign: Dataset,
    *,
    threads: int = 2,
    step: Callable[[], None] = lambda: None,
) -> Foreign:
    """Read samples of `foreign`, whose labels do not matter, and tell them from `own`.

    At most 500 of them, evenly drawn; `step` is called after each. Raises BadDataset where they
    are of another kind than the pack reads, or none can be opened.
    """
    refuse_other_kind(reader, foreign)

    def answer(item: Item) -> Read | None:
        try:
            return reader.read(foreign.sample(item)).read
        except (UnreadableSample, BadMeasurement, BadDataset):
            return None
        finally:
            step()

    items = evenly(foreign.items, at_most=AT_MOST)
    reads = [read for read in read_all(items, answer, threads=threads) if read is not None]
    told = refusals(reads, name=foreign.name)
    usable = np.array([not label.unfit for label in reader.manifest.labels])[own.truths]
    clusters = None if own.clusters is None else own.clusters[usable]
    return Foreign(
        name=foreign.name,
        n=told.n,
        auroc=_area(own, reads),
        flagged=told.flagged,
        believed=told.believed,
        own_flagged=share_of((own.unfit | own.unfamiliar)[usable], clusters=clusters),
    )


def _area(own: Answers, foreign: Sequence[Read]) -> Share:
    near = [read.familiarity for read in foreign]
    scores = np.array([np.nan if each is None else each.score for each in near])
    both = np.concatenate([own.familiarity, scores])
    if np.isnan(both).any():
        return Share(value=np.nan, low=np.nan, high=np.nan)
    return area_with_interval(np.arange(len(both)) < len(own.familiarity), both)


def refuse_other_kind(reader: PackReader, foreign: Dataset) -> None:
    """Raises BadDataset where the pack reads no samples of the dataset's kind."""
    pack = reader.manifest
    if foreign.kind != pack.kind:
        raise BadDataset(
            f"The folder {foreign.name} holds samples of kind {foreign.kind}, which the pack "
            f"{pack.name} refuses before it reads them. Name a folder of kind {pack.kind}."
        )


def refuse_no_pictures(dataset: Dataset) -> None:
    """Raises BadDataset where the samples are no pictures, so that they cannot be spoiled."""
    if not KINDS[dataset.kind].can_be_spoiled:
        raise BadDataset("Only pictures can be spoiled. Leave out --spoil.")


def when_spoiled(
    reader: PackReader,
    own: Answers,
    dataset: Dataset,
    *,
    step: Callable[[], None] = lambda: None,
) -> tuple[Refusals, ...]:
    """What becomes of the pack's own pictures when they are blurred, darkened, recoloured, ...

    At most 150 of them, evenly drawn; the first row is of them as they are. Raises BadDataset where
    the samples are no pictures.
    """
    refuse_no_pictures(dataset)
    samples = [dataset.data(item) for item in evenly(own.samples, at_most=SPOILED)]
    return spoiled(reader, samples, step=step)


def evenly(items: tuple[Item, ...] | list[Item], *, at_most: int) -> list[Item]:
    """At most so many of the items, from the first to the last in even steps.

    >>> [item.path for item in evenly([Item(path=p, label="") for p in "abcde"], at_most=3)]
    ['a', 'c', 'e']
    """
    if len(items) <= at_most:
        return list(items)
    return [items[int(place)] for place in np.linspace(0, len(items) - 1, at_most).round()]
