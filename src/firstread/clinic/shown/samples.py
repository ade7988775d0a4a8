"""What pages fetch of one sample in a case: its picture, its evidence map, a recording's numbers.

A recording's picture is drawn: ten seconds on ECG paper, and for the worklist a beat or two.
"""

from __future__ import annotations

from dataclasses import dataclass

from firstread.clinic.models import ReadRow, Sample
from firstread.clinic.shown import ecg_strips, evidence, pictures
from firstread.clinic.storage.evidence_bytes import unpack_stretches
from firstread.clinic.storage.reads import beats_of, maps_of
from firstread.clinic.storage.traces import trace_of
from firstread.domain.errors import UnknownCase

SVG = "image/svg+xml"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture for a page, as bytes."""

    data: bytes
    media_type: str


def image(case_sample: int, *, beat: int | None) -> Picture:
    """The sample to read from; of a recording ten seconds, round that beat where one is named.

    Raises UnknownCase, UnreadableSample; so do the others.
    """
    sample = _sample(case_sample)
    if sample.kind == "recording":
        strip = ecg_strips.ten_seconds(case_sample, beat=beat)
        return Picture(data=strip.encode(), media_type=SVG)
    return Picture(data=pictures.display(sample.sha256), media_type=pictures.SHOWN_AS)


def thumbnail(case_sample: int) -> Picture:
    """A small picture of the sample."""
    sample = _sample(case_sample)
    if sample.kind == "recording":
        return Picture(data=ecg_strips.thumbnail(case_sample).encode(), media_type=SVG)
    return Picture(data=pictures.thumbnail(sample.sha256), media_type=pictures.SHOWN_AS)


def evidence_map(case_sample: int, *, place: int) -> Picture:
    """The map in that place of those that the first read kept."""
    _sample(case_sample, kind="image")
    row = _first_read(case_sample, "evidence", "beats")
    if row is None:
        raise UnknownCase("This sample has no evidence map.")
    maps = maps_of(row)
    if place >= len(maps):
        raise UnknownCase("This sample has no evidence map of such a label.")
    return Picture(data=evidence.png(case_sample, label=maps[place]), media_type="image/png")


def tile(case_sample: int, *, level: int, number: int) -> bytes:
    """A piece of a recording's signal: `Trace.tile`."""
    return trace_of(_sample(case_sample, kind="recording").sha256).tile(level, number)


def beats(case_sample: int) -> bytes:
    """Every beat of a recording's first read: `Beats.as_pieces`."""
    return beats_of(_recording_read(case_sample, "evidence")).as_pieces()


def stretches(case_sample: int) -> bytes:
    """How much each part of each beat's window speaks for its label: bytes [B, t]."""
    row = _recording_read(case_sample, "beats")
    if row.evidence is None:
        raise UnknownCase("The pack that read this recording gives no evidence along the trace.")
    return unpack_stretches(bytes(row.evidence)).tobytes()


def _sample(case_sample: int, *, kind: str = "") -> Sample:
    """The sample in that place of a case; raises UnknownCase where it is of another kind."""
    found = Sample.objects.filter(in_cases=case_sample).first()
    if found is None or (kind and found.kind != kind):
        raise UnknownCase("There is no such sample.")
    return found


def _recording_read(case_sample: int, *left: str) -> ReadRow:
    _sample(case_sample, kind="recording")
    row = _first_read(case_sample, *left)
    if row is None:
        raise UnknownCase("This recording has not been read yet.")
    return row


def _first_read(case_sample: int, *left: str) -> ReadRow | None:
    """The first read of the sample, without the columns that are `left`."""
    return ReadRow.objects.filter(case_sample=case_sample).defer(*left).first()
