"""A read as lengths: what the templates draw as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firstread.clinic.shown.case import Cell
from firstread.domain.differential import Share
from firstread.domain.foremost import foremost
from firstread.domain.read import Read
from firstread.packs import Manifest

HALF = 100.0
"""Half the width of a bar that goes both ways."""


@dataclass(frozen=True, kw_only=True)
class FindingBar:
    """One label's probability, and where its alarm begins."""

    title: str
    probability: float
    in_set: bool
    lead: bool
    alarming: bool
    threshold: float | None
    holds_lead: bool = False
    """A group among whose labels is the most probable one."""


def finding_bars(read: Read, manifest: Manifest) -> list[FindingBar]:
    """The groups, then the findings of the read, the most probable first; of many the foremost."""
    titles = {each.code: each.title for each in manifest.answers}
    points = {point.label: point.threshold for point in manifest.operating_points}
    holding = {group.code for group in manifest.groups if read.label in group.labels}
    return [
        FindingBar(
            title=titles.get(finding.label, finding.label),
            probability=finding.probability,
            in_set=finding.label in read.finding_set,
            lead=finding.label == read.label,
            alarming=finding.label in read.alarms,
            threshold=points.get(finding.label),
            holds_lead=finding.label in holding,
        )
        for finding in (*read.groups, *foremost(read.findings, always=read.alarms))
    ]


def left_out(read: Read) -> dict[str, Any] | None:
    """How many labels have no bar, and what they come to together; None where all have one."""
    shown = {each.label for each in foremost(read.findings, always=read.alarms)}
    rest = [each.probability for each in read.findings if each.label not in shown]
    return {"count": len(rest), "probability": sum(rest)} if rest else None


@dataclass(frozen=True, kw_only=True)
class GalleryCell:
    """A cell of many in the gallery."""

    id: int
    position: int
    title: str
    probability: float | None
    alarming: bool
    unfamiliar: bool
    here: bool


def gallery_of(cells: Sequence[Cell], *, titles: dict[str, str], here: int) -> list[GalleryCell]:
    """The cells with their reads, in the order in which they came."""
    return [_gallery_cell(cell, titles=titles, here=here) for cell in cells]


def _gallery_cell(cell: Cell, *, titles: dict[str, str], here: int) -> GalleryCell:
    read = cell.read
    if read is None:
        title = "Being read"
    elif read.unfit:
        title = "Unfit"
    else:
        title = titles.get(read.label, read.label)
    return GalleryCell(
        id=cell.case_sample.pk,
        position=cell.position,
        title=title,
        probability=read.probability if read and not read.unfit else None,
        alarming=bool(read and read.alarms),
        unfamiliar=bool(read and read.familiarity and not read.familiarity.familiar),
        here=cell.position == here,
    )


def shares_of(differential: Sequence[Share], manifest: Manifest) -> list[dict[str, Any]]:
    """The differential with the labels' titles."""
    labels = {label.code: label for label in manifest.labels}
    return [
        {
            "title": labels[share.label].title,
            "positive": share.label in manifest.positive,
            "count": share.count,
            "share": share.share,
            "low": share.low,
            "high": share.high,
        }
        for share in differential
    ]


def contributions_of(read: Read, manifest: Manifest) -> dict[str, Any]:
    """What each measurement adds towards one label, and the sum: towards the alarm, if any.

    Of two labels it is the difference of their logits, else the label against the mean of the
    others, so that the sum's sign says which way the read leans.
    """
    codes = manifest.codes
    positive = [label.code for label in manifest.labels if label.positive]
    place = codes.index(positive[0] if len(positive) == 1 else read.label)
    takes = {each.code: each for each in manifest.measurements}
    sums = [(each, _against(each.logits, place)) for each in read.contributions]
    bias = _against(manifest.measurements_model.bias, place) if manifest.measurements_model else 0.0
    most = max((abs(total) for _, total in sums), default=1.0) or 1.0
    rows = [
        {
            "title": takes[each.measurement].title,
            "help": takes[each.measurement].help,
            "maximum": takes[each.measurement].maximum,
            "value": each.value,
            "sum": total,
            "towards": total >= 0,
            "width": f"{abs(total) / most * HALF:.2f}",
            "x": f"{HALF if total >= 0 else HALF - abs(total) / most * HALF:.2f}",
        }
        for each, total in sums
    ]
    return {
        "contributions": rows,
        "towards": manifest.labels[place].title.lower(),
        "bias": bias,
        "total": bias + sum(total for _, total in sums),
    }


def _against(logits: Sequence[float], place: int) -> float:
    others = [value for at, value in enumerate(logits) if at != place]
    return logits[place] - (sum(others) / len(others) if others else 0.0)
