"""What pages fetch of one sample in a case: its picture, its evidence map, a recording's numbers.

A recording's picture is drawn: ten seconds on ECG paper, and for the worklist a beat or two.
"""

from __future__ import annotations

from firstread.clinic.models import ReadRow, Sample
from firstread.clinic.shown import evidence
from firstread.clinic.shown.kinds import KINDS, Picture
from firstread.clinic.storage.evidence_bytes import unpack_stretches
from firstread.clinic.storage.reads import beats_of, maps_of, read_of
from firstread.clinic.storage.traces import trace_of
from firstread.domain.errors import UnknownCase


def image(case_sample: int, *, beat: int | None) -> Picture:
    """The sample to read from; of a recording ten seconds, round that beat where one is named.

    Raises UnknownCase, UnreadableSample; so do the others.
    """
    sample = _sample(case_sample)
    return KINDS[sample.kind].image(case_sample, sample, beat=beat)


def thumbnail(case_sample: int) -> Picture:
    """A small picture of the sample."""
    sample = _sample(case_sample)
    return KINDS[sample.kind].thumbnail(case_sample, sample, beat=None)


def evidence_map(case_sample: int, *, place: int) -> Picture:
    """The map in that place of those that the first read kept."""
    if not KINDS[_sample(case_sample).kind].has_maps:
        raise _no_such_sample()
    row = _first_read(case_sample, "evidence", "beats")
    if row is None:
        raise UnknownCase("This sample has no evidence map.")
    _refuse_evidence(row)
    maps = maps_of(row)
    if place >= len(maps):
        raise UnknownCase("This sample has no evidence map of such a label.")
    return Picture(data=evidence.png(case_sample, label=maps[place]), media_type="image/png")


def tile(case_sample: int, *, level: int, number: int) -> bytes:
    """A piece of a recording's signal: `Trace.tile`."""
    return trace_of(_recording(case_sample).sha256).tile(level, number)


def beats(case_sample: int) -> bytes:
    """Every beat of a recording's first read: `Beats.as_pieces`."""
    row = _recording_read(case_sample, "evidence")
    _refuse_evidence(row)
    return beats_of(row).as_pieces()


def stretches(case_sample: int) -> bytes:
    """How much each part of each beat's window speaks for its label: bytes [B, t]."""
    row = _recording_read(case_sample, "beats")
    if row.evidence is None:
        raise UnknownCase("The pack that read this recording gives no evidence along the trace.")
    _refuse_evidence(row)
    return unpack_stretches(bytes(row.evidence)).tobytes()


def _sample(case_sample: int) -> Sample:
    """The sample in that place of a case."""
    found = Sample.objects.filter(in_cases=case_sample).first()
    if found is None:
        raise _no_such_sample()
    return found


def _recording(case_sample: int) -> Sample:
    """The sample in that place, of which pages show a trace."""
    found = _sample(case_sample)
    if not KINDS[found.kind].has_trace:
        raise _no_such_sample()
    return found


def _no_such_sample() -> UnknownCase:
    return UnknownCase("There is no such sample.")


def _recording_read(case_sample: int, *left: str) -> ReadRow:
    _recording(case_sample)
    row = _first_read(case_sample, *left)
    if row is None:
        raise UnknownCase("This recording has not been read yet.")
    return row


def _refuse_evidence(row: ReadRow) -> None:
    verdict = read_of(row).verdict
    if not verdict.shows_evidence:
        raise UnknownCase(f"No evidence is shown of this sample. {verdict.says}: {verdict.why}")


def _first_read(case_sample: int, *left: str) -> ReadRow | None:
    """The first read of the sample, without the columns that are `left`."""
    return ReadRow.objects.filter(case_sample=case_sample).defer(*left).first()
