"""The bytes of a recording are opened, in whichever of its forms they are."""

from __future__ import annotations

from firstread.domain.errors import UnreadableSample
from firstread.recordings.pair import unzipped
from firstread.recordings.recording import Recording
from firstread.recordings.wfdb import open_wfdb

FORMS = "a WFDB pair (.hea and .dat, or both in one zip), CSV, EDF, or a DICOM waveform"


def open_recording(data: bytes) -> Recording:
    """The recording that `data` holds: a zip with one WFDB pair.

    Raises UnreadableSample, with the remedy, where the bytes cannot be opened.
    """
    if data[:4] == b"PK\x03\x04":
        return _from_zip(data)
    raise UnreadableSample(f"This is not a recording that Firstread can open. Send {FORMS}.")


def _from_zip(data: bytes) -> Recording:
    files = unzipped(data)
    headers = [name for name in files if name.lower().endswith(".hea")]
    if len(headers) == 1:
        samples = {name: body for name, body in files.items() if name.lower().endswith(".dat")}
        return open_wfdb(files[headers[0]], samples=samples)
    if len(headers) > 1:
        raise UnreadableSample("The zip file holds several recordings. Send them one by one.")
    if len(files) == 1:
        return open_recording(next(iter(files.values())))
    raise UnreadableSample(f"The zip file holds no recording. Send {FORMS}.")
