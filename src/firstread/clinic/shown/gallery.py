"""A case of many samples: each with its read, and the differential over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firstread.clinic.shown.case import Cell
from firstread.domain.differential import Share
from firstread.domain.left_out import Counted
from firstread.domain.verdict import STANDS
from firstread.packs import Manifest


@dataclass(frozen=True, kw_only=True)
class GalleryCell:
    """A cell of many in the gallery."""

    id: int
    position: int
    title: str
    probability: float | None
    alarming: bool
    doubtful: bool
    """Whether the title says why the finding does not stand."""
    here: bool


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """The cells with their reads, in the order in which they came."""

    cells: tuple[GalleryCell, ...]
    alarms: int
    """How many of them raise the alarm."""
    would_alarm: int
    """How many more would, if their findings stood."""


@dataclass(frozen=True, kw_only=True)
class ShareBar:
    """One label's share of the cells, with the label's title."""

    title: str
    positive: bool
    count: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Differential:
    """The shares of all labels, and over how many cells."""

    shares: tuple[ShareBar, ...]
    counted: int
    left_out: str
    """What does not count, and why; empty where all do."""


def gallery_of(cells: Sequence[Cell], *, titles: Mapping[str, str], here: int) -> Gallery:
    """The cells as the gallery shows them; `here` is the position of the one that is open."""
    shown = tuple(_gallery_cell(cell, titles=titles, here=here) for cell in cells)
    alarms = [
        each.read for each in cells if each.read and each.read.alarms and each.read.is_counted
    ]
    standing = sum(read.verdict.names_finding for read in alarms)
    return Gallery(cells=shown, alarms=standing, would_alarm=len(alarms) - standing)


def _gallery_cell(cell: Cell, *, titles: Mapping[str, str], here: int) -> GalleryCell:
    read = cell.read
    verdict = read.verdict if read else STANDS
    if read is None:
        title = "Being read"
    elif verdict.names_finding:
        title = titles.get(read.label, read.label)
    else:
        title = verdict.says
    return GalleryCell(
        id=cell.case_sample.pk,
        position=cell.position,
        title=title,
        probability=read.probability if read and verdict.names_finding else None,
        alarming=bool(read and read.alarms and verdict.may_ring),
        doubtful=not verdict.names_finding,
        here=cell.position == here,
    )


def differential_of(
    shares: Sequence[Share], manifest: Manifest, *, left_out: Counted | None
) -> Differential:
    """The differential with the labels' titles."""
    labels = {label.code: label for label in manifest.labels}
    return Differential(
        shares=tuple(
            ShareBar(
                title=labels[share.label].title,
                positive=share.label in manifest.positive,
                count=share.count,
                share=share.share,
                low=share.low,
                high=share.high,
            )
            for share in shares
        ),
        counted=shares[0].of,
        left_out=left_out.told() if left_out else "",
    )
