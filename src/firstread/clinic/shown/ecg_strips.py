"""Pictures of recordings: ten seconds of one on ECG paper, and a glance for the worklist."""

from __future__ import annotations

from collections.abc import Mapping

from firstread.clinic.checks.checks import known_manifest
from firstread.clinic.models import CaseSample, ReadRow
from firstread.clinic.shown.recording import BeatLabel, beat_labels, gone_label
from firstread.clinic.storage.beats_bytes import Beats
from firstread.clinic.storage.reads import beats_of, read_of
from firstread.clinic.storage.traces import Trace, trace_of
from firstread.domain.errors import UnknownCase
from firstread.domain.verdict import STANDS
from firstread.recordings.paper import Mark, strip_svg, thumbnail_svg

STRIP_S = 10.0
GLANCE_S = 1.8


def ten_seconds(case_sample: int, *, beat: int | None) -> str:
    """Ten seconds as SVG, round that beat of the first read, else from the beginning on.

    Raises UnknownCase, and UnreadableSample where the recording cannot be opened any more.
    """
    sample, read = _found(case_sample)
    trace = trace_of(sample.sample_id)
    verdict = STANDS if read is None else read_of(read).verdict
    beats = beats_of(read) if read and verdict.shows_evidence else None
    at_s = float(beats.at_s[beat]) if beats and beat is not None and beat < len(beats) else 0.0
    starts_s = _starts(trace, at_s, STRIP_S)
    return strip_svg(
        trace.stretch(starts_s=starts_s, lasts_s=STRIP_S),
        rate_hz=trace.rate_hz,
        leads=trace.leads,
        starts_s=starts_s,
        row=trace.row,
        marks=_marks(beats, _labels(sample, rings=verdict.may_ring), starts_s) if beats else (),
    )


def thumbnail(case_sample: int) -> str:
    """The first lead round the surest beat of what raised the alarm, else the first beats."""
    sample, read = _found(case_sample)
    trace = trace_of(sample.sample_id)
    starts_s = _starts(trace, _most_telling(read) if read else 0.0, GLANCE_S)
    return thumbnail_svg(
        trace.stretch(starts_s=starts_s, lasts_s=GLANCE_S)[0], rate_hz=trace.rate_hz
    )


def _found(case_sample: int) -> tuple[CaseSample, ReadRow | None]:
    sample = CaseSample.objects.filter(pk=case_sample).select_related("case__check_row").first()
    if sample is None:
        raise UnknownCase("There is no such sample.")
    rows = ReadRow.objects.filter(case_sample=sample)
    return sample, rows.defer("evidence").first()


def _starts(trace: Trace, at_s: float, lasts_s: float) -> float:
    return max(0.0, min(at_s - lasts_s / 2, trace.duration_s - lasts_s))


def _most_telling(row: ReadRow) -> float:
    read, beats = read_of(row), beats_of(row)
    if read.label not in beats.codes:
        return 0.0
    of_label = beats.label == beats.codes.index(read.label)
    if not of_label.any():
        return 0.0
    return float(beats.at_s[(beats.probability * of_label).argmax()])


def _marks(beats: Beats, named: Mapping[str, BeatLabel], starts_s: float) -> list[Mark]:
    first, after = beats.at_s.searchsorted([starts_s, starts_s + STRIP_S]).tolist()
    found = []
    for place in range(first, after):
        code = beats.codes[beats.label[place]]
        label = named.get(code) or gone_label(code)
        found.append(Mark(at_s=float(beats.at_s[place]), letter=label.letter, tone=label.tone))
    return found


def _labels(sample: CaseSample, *, rings: bool) -> dict[str, BeatLabel]:
    manifest = known_manifest(sample.case.check_row)
    labels = beat_labels(manifest.labels, rings=rings) if manifest else ()
    return {each.code: each for each in labels}
