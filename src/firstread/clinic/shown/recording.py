"""What a page shows of a recording: its trace, counts, rhythm, and the beats that matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from django.urls import reverse

from firstread.clinic.models import ReadRow
from firstread.clinic.shown.case import CaseView, Cell
from firstread.clinic.storage.beats_bytes import Beats
from firstread.clinic.storage.reads import beats_of
from firstread.clinic.storage.traces import STEPS, TILE, Trace, trace_of
from firstread.domain.errors import FirstreadError
from firstread.domain.priority import Priority
from firstread.domain.rhythm import Episode, Rhythm, episodes_of, rhythm_of
from firstread.packs import Label
from firstread.recordings.paper import clock

MOST_EPISODES = 200
"""So many are listed; the keys go through all there are."""
_TONES = ("caution", "accent", "other")


@dataclass(frozen=True, kw_only=True)
class BeatLabel:
    """One label of the pack, as a letter above a beat."""

    code: str
    title: str
    letter: str
    tone: str
    """What it is coloured with; the most pressing label has the colour of the alarm."""
    notable: bool
    """One goes from beat to beat of these."""


@dataclass(frozen=True, kw_only=True)
class BeatCount:
    """How many beats have one label."""

    label: BeatLabel
    count: int
    share: float
    alarming: bool


@dataclass(frozen=True, kw_only=True)
class ShownEpisode:
    """A beat that matters, or several that follow each other."""

    first: int
    count: int
    label: BeatLabel
    at: str
    what: str
    """`single`, `pair`, `run of 5`; with how fast it is."""
    probability: float
    """Of its surest beat."""
    early: float | None
    """The pause before it, as a share of the recording's usual one."""


@dataclass(frozen=True, kw_only=True)
class RhythmShown:
    """The beats of one recording."""

    beats: int
    lasts: str
    counts: tuple[BeatCount, ...]
    """The commonest of what matters first, the unremarkable last."""
    rate_bpm: int | None
    longest_rr_s: float | None
    longest_rr_at: int | None
    """Which beat ends the longest pause."""
    longest_rr_when: str
    episodes: tuple[ShownEpisode, ...]
    episodes_in_all: int
    summary: str
    """All of it in one sentence, for whoever hears the page."""

    @property
    def notable(self) -> int:
        return sum(each.count for each in self.counts if each.label.notable)


@dataclass(frozen=True, kw_only=True)
class TraceMeta:
    """What the page's script must know: `Meta` in static/clinic/js/tiles.js."""

    tiles: str
    beats: str
    stretches: str
    rate_hz: float
    samples: int
    leads: tuple[str, ...]
    unit_mv: float
    row_mm: float
    mm_per_mv: float
    middles_mv: tuple[float, ...]
    steps: tuple[int, ...]
    tile: int
    began: str
    before_s: float
    after_s: float
    labels: tuple[BeatLabel, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class RecordingShown:
    """One recording of a case: its trace, and what was read in it."""

    trace: Trace
    lasts: str
    asked: int | None
    """The beat that the address names."""
    rhythm: RhythmShown | None
    meta: TraceMeta


@dataclass(frozen=True, kw_only=True)
class RecordingGone:
    """A recording that cannot be drawn, and why."""

    trouble: str


def recording_shown(
    view: CaseView, cell: Cell, *, beat: int | None
) -> RecordingShown | RecordingGone:
    """What the case page shows of one recording; only why, where it cannot be opened."""
    try:
        trace = trace_of(cell.case_sample.sample_id)
    except FirstreadError as error:
        return RecordingGone(trouble=str(error))
    manifest = view.manifest
    rhythm = None
    if cell.has_evidence and cell.read and manifest is not None and manifest.recording is not None:
        rows = ReadRow.objects.filter(case_sample=cell.case_sample)
        rhythm = rhythm_shown(
            rows.defer("evidence").get(),
            labels=manifest.labels,
            alarms=cell.read.alarms,
            rings=cell.read.verdict.may_ring,
            lasts_s=trace.duration_s,
        )
    return RecordingShown(
        trace=trace,
        lasts=in_minutes(trace.duration_s),
        asked=beat,
        rhythm=rhythm,
        meta=_meta(trace, view, cell),
    )


def _meta(trace: Trace, view: CaseView, cell: Cell) -> TraceMeta:
    pk, manifest = cell.case_sample.pk, view.manifest
    given = manifest.recording if manifest else None
    return TraceMeta(
        tiles=reverse("tile", args=[pk, 0, 0]),
        beats=reverse("beats", args=[pk]) if cell.has_evidence else "",
        stretches=reverse("stretches", args=[pk])
        if cell.evidence_labels and cell.has_evidence
        else "",
        rate_hz=trace.rate_hz,
        samples=trace.samples,
        leads=trace.leads,
        unit_mv=trace.unit_mv,
        row_mm=trace.row.height_mm,
        mm_per_mv=trace.row.mm_per_mv,
        middles_mv=trace.row.middles_mv,
        steps=STEPS,
        tile=TILE,
        began=trace.began,
        before_s=given.before_s if given else 0,
        after_s=given.after_s if given else 0,
        labels=beat_labels(view.labels, rings=cell.read is None or cell.read.verdict.may_ring),
    )


def beat_labels(labels: Sequence[Label], *, rings: bool) -> tuple[BeatLabel, ...]:
    """The pack's labels as letters, no two in one colour as far as there are colours.

    The alarm's is among them where the read `rings`.
    """
    positive = [label for label in labels if label.positive]
    first = max(positive, key=lambda label: Priority.named(label.priority), default=None)
    # The first label that is no finding is the heart's usual beat; a fusion beat raises no alarm,
    # and is worth a look all the same.
    normal = next((each.code for each in labels if not (each.positive or each.unfit)), "")
    tones = iter(_TONES)
    found = []
    for label in labels:
        notable = label.code != normal
        tone = "quiet"
        if notable:
            tone = "alarm" if rings and label is first else next(tones, "other")
        letter = label.code if len(label.code) <= 2 else label.title[:1]
        found.append(
            BeatLabel(
                code=label.code,
                title=label.title,
                letter=letter.upper(),
                tone=tone,
                notable=notable,
            )
        )
    return tuple(found)


def rhythm_shown(
    row: ReadRow, *, labels: Sequence[Label], alarms: Sequence[str], rings: bool, lasts_s: float
) -> RhythmShown:
    """What the first read says of a recording that lasts so long; `labels` are its pack's."""
    beats = beats_of(row)
    named = {each.code: each for each in beat_labels(labels, rings=rings)}
    shown = tuple(named.get(code) or gone_label(code) for code in beats.codes)
    at_s, places = beats.at_s.tolist(), beats.label.tolist()
    rhythm = rhythm_of(at_s, places, of=len(beats.codes))
    notable = {place for place, label in enumerate(shown) if label.notable}
    found = episodes_of(at_s, places, notable=notable)
    usual_s = median(b - a for a, b in pairwise(at_s)) if len(at_s) > 1 else 0.0
    longest = rhythm.longest_rr_at
    counts = _counts(rhythm, shown, alarms=alarms if rings else ())
    return RhythmShown(
        beats=rhythm.beats,
        lasts=in_minutes(lasts_s),
        counts=counts,
        rate_bpm=None if rhythm.mean_rate_bpm is None else round(rhythm.mean_rate_bpm),
        longest_rr_s=rhythm.longest_rr_s,
        longest_rr_at=longest,
        longest_rr_when="" if longest is None else clock(at_s[longest]),
        episodes=tuple(
            _shown(each, beats, label=shown[each.label], usual_s=usual_s)
            for each in _most_telling(found, beats)
        ),
        episodes_in_all=len(found),
        summary=_summary(rhythm, counts, lasts_s=lasts_s),
    )


def gone_label(code: str) -> BeatLabel:
    """A label that the pack had when it read, and has no more."""
    return BeatLabel(code=code, title=code, letter=code[:1].upper(), tone="other", notable=True)


def _counts(
    rhythm: Rhythm, labels: Sequence[BeatLabel], *, alarms: Sequence[str]
) -> tuple[BeatCount, ...]:
    counted = [
        BeatCount(
            label=label,
            count=count,
            share=count / rhythm.beats if rhythm.beats else 0.0,
            alarming=label.code in alarms,
        )
        for label, count in zip(labels, rhythm.counts, strict=True)
    ]
    return tuple(
        sorted(counted, key=lambda each: (not each.alarming, not each.label.notable, -each.count))
    )


def _most_telling(found: Sequence[Episode], beats: Beats) -> list[Episode]:
    """The longest and surest of them, in order of time."""
    if len(found) <= MOST_EPISODES:
        return list(found)
    telling = sorted(found, key=lambda each: (-each.count, -_surest(each, beats)))
    return sorted(telling[:MOST_EPISODES], key=lambda each: each.first)


def _surest(each: Episode, beats: Beats) -> float:
    return float(beats.probability[each.first : each.first + each.count].max())


def _shown(each: Episode, beats: Beats, *, label: BeatLabel, usual_s: float) -> ShownEpisode:
    what = {1: "single", 2: "pair"}.get(each.count, f"run of {each.count}")
    if each.count > 2 and each.rate_bpm is not None:
        what += f", {each.rate_bpm:.0f} a minute"
    early = None
    if each.first and usual_s:
        early = (each.at_s - float(beats.at_s[each.first - 1])) / usual_s
    return ShownEpisode(
        first=each.first,
        count=each.count,
        label=label,
        at=clock(each.at_s),
        what=what,
        probability=_surest(each, beats),
        early=early,
    )


def in_minutes(lasts_s: float) -> str:
    """How long a recording is, in its two largest units.

    >>> in_minutes(10.0), in_minutes(1805.6), in_minutes(86400)
    ('10 s', '30 min 6 s', '24 h')
    """
    seconds = round(lasts_s)
    parts = [(seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{much} {unit}" for much, unit in parts[:2] if much) or "0 s"


def _summary(rhythm: Rhythm, counts: Sequence[BeatCount], *, lasts_s: float) -> str:
    named = [each for each in counts if each.count]
    said = ", ".join(f"{each.count:,} {each.label.title.lower()}" for each in named)
    words = f"{rhythm.beats:,} beats in {in_minutes(lasts_s)}: {said}."
    if rhythm.mean_rate_bpm is not None and rhythm.longest_rr_s is not None:
        words += (
            f" Mean heart rate {rhythm.mean_rate_bpm:.0f} a minute; "
            f"longest pause {rhythm.longest_rr_s:.2f} s."
        )
    return words
