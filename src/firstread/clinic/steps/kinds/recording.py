"""Recordings come in as files, of which two may be one; once read, their traces are drawn."""

from collections.abc import Sequence

from firstread.clinic.steps.files import Incoming, Opened
from firstread.clinic.steps.kinds import KindOfCase
from firstread.clinic.storage.traces import trace_of
from firstread.dicom.opening import is_dicom
from firstread.recordings import join_pair, open_recording
from firstread.recordings.together import together


def _opened(files: Sequence[Incoming]) -> Opened:
    data = files[0].data
    if len(files) > 1:
        data = join_pair({file.name: file.data for file in files})
    open_recording(data)
    return Opened(data=data, media_type=_media_type(data))


def _together(files: Sequence[Incoming]) -> list[tuple[int, ...]]:
    return together([file.name for file in files], beginning=lambda place: files[place].data)


def _media_type(data: bytes) -> str:
    if data.startswith(b"PK"):
        return "application/zip"
    if is_dicom(data):
        return "application/dicom"
    return "application/edf" if data.startswith(b"0       ") else "text/csv"


def _draw(sample: str) -> None:
    trace_of(sample)  # made now, so that no page waits for that of a day


KIND = KindOfCase(
    opened=_opened,
    together=_together,
    after_read=_draw,
    not_from_edge="each beat has logits of its own, which no edge sends: the clinic reads "
    "recordings",
)
