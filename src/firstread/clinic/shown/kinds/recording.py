"""Recordings: their trace on ECG paper, the beats in it, and how many are what."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from firstread.clinic.models import ReadRow, Sample
from firstread.clinic.shown import ecg_strips
from firstread.clinic.shown.kinds import Glance, KindOfPage, Picture, PutIn, with_pictures
from firstread.clinic.shown.recording import recording_shown

SVG = "image/svg+xml"


def _glances(cases: Sequence[Any]) -> dict[uuid.UUID, Glance]:
    """Of single recordings, for what a share of the beats is says more than a probability."""
    found = with_pictures(cases)
    named = {case.pk: case.finding for case in cases if case.sample_count == 1}
    reads = ReadRow.objects.filter(case_sample__case__in=named)
    for case, counts in reads.values_list("case_sample__case_id", "body__counts"):
        if counts:
            beats = f"{counts.get(named[case], 0):,} of {sum(counts.values()):,} beats"
            found[case] = replace(found.get(case, Glance()), telling=beats)
    return found


def _image(case_sample: int, sample: Sample, *, beat: int | None) -> Picture:  # noqa: ARG001  a Draw
    """Ten seconds, round that beat where one is named."""
    strip = ecg_strips.ten_seconds(case_sample, beat=beat)
    return Picture(data=strip.encode(), media_type=SVG)


def _thumbnail(case_sample: int, sample: Sample, *, beat: int | None) -> Picture:  # noqa: ARG001  a Draw
    """A beat or two."""
    return Picture(data=ecg_strips.thumbnail(case_sample).encode(), media_type=SVG)


KIND = KindOfPage(
    put_in=PutIn(
        icon="pulse",
        offer="One recording",
        offer_many="One recording",
        drop="clinic/put_in/drop_recording.html",
        look="trace",
        in_pairs=True,
    ),
    glances=_glances,
    stage="clinic/case/recording.html",
    beside="clinic/case/beats.html",
    head="clinic/case/recording_head.html",
    keys="clinic/case/keys_trace.html",
    css="clinic/css/recording.css",
    layout="recording",
    own=recording_shown,
    image=_image,
    thumbnail=_thumbnail,
    has_trace=True,
)
