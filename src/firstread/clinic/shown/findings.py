"""What a read found, as the case page draws it: bars, alarms, and where the alarm begins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from firstread.domain.foremost import foremost
from firstread.domain.read import Finding, Read
from firstread.packs import Manifest, OperatingPoint


@dataclass(frozen=True, kw_only=True)
class FindingBar:
    """One label's probability, and where its alarm begins."""

    title: str
    probability: float
    in_set: bool
    lead: bool
    alarming: bool
    threshold: float | None
    holds_lead: bool
    """A group among whose labels is the most probable one."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """How many labels have no bar, and what they come to together."""

    count: int
    probability: float


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The groups, then the findings of the read, the most probable first; of many the foremost."""

    bars: tuple[FindingBar, ...]
    left_out: LeftOut | None
    has_points: bool
    """Whether the pack says from where on an alarm is raised."""
    point: OperatingPoint | None
    """That of the most probable label."""
    alarming: bool
    """Whether the most probable label, or a group that holds it, raises the alarm."""
    group_alarms: tuple[FindingBar, ...]
    """The alarms of groups that hold it."""
    other_alarms: tuple[FindingBar, ...]
    """The alarms of anything else."""
    would_alarm: tuple[FindingBar, ...]
    """What reaches its operating point in a read whose alarm does not stand."""


def findings_of(read: Read, manifest: Manifest, *, rings: bool) -> Findings:
    """The read's findings with the titles and operating points of its pack; an alarm if it may."""
    titles = {each.code: each.title for each in manifest.answers}
    points = {point.label: point for point in manifest.operating_points}
    holding = {group.code for group in manifest.groups if read.label in group.labels}
    shown = foremost(read.findings, always=read.alarms)
    listed = (*read.groups, *shown)
    bars = []
    for finding in listed:
        point = points.get(finding.label)
        bars.append(
            FindingBar(
                title=titles.get(finding.label, finding.label),
                probability=finding.probability,
                in_set=finding.label in read.finding_set,
                lead=finding.label == read.label,
                alarming=rings and finding.label in read.alarms,
                threshold=point.threshold if point else None,
                holds_lead=finding.label in holding,
            )
        )
    alarms = [bar for bar in bars if bar.alarming]
    groups = [bar for bar in alarms if bar.holds_lead]
    others = [bar for bar in alarms if not (bar.lead or bar.holds_lead)]
    with_bar = {each.label for each in shown}
    rest = [each.probability for each in read.findings if each.label not in with_bar]
    return Findings(
        bars=tuple(bars),
        left_out=LeftOut(count=len(rest), probability=sum(rest)) if rest else None,
        has_points=bool(points),
        point=points.get(read.label),
        alarming=len(others) < len(alarms),
        group_alarms=tuple(groups),
        other_alarms=tuple(others),
        would_alarm=() if rings else _would_alarm(bars, listed, alarms=read.alarms),
    )


def _would_alarm(
    bars: Sequence[FindingBar], listed: Sequence[Finding], *, alarms: Collection[str]
) -> tuple[FindingBar, ...]:
    pairs = zip(bars, listed, strict=True)
    return tuple(bar for bar, each in pairs if each.label in alarms)
