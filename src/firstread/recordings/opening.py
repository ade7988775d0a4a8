"""The bytes of a recording are opened, in whichever of its forms they are."""

from __future__ import annotations

import numpy as np

from firstread.decoding.budget import BUDGET
from firstread.dicom.opening import is_dicom
from firstread.dicom.waveform import open_waveform
from firstread.domain.errors import UnreadableSample
from firstread.recordings.csv_table import open_csv
from firstread.recordings.edf import open_edf
from firstread.recordings.foreign import foreign_form
from firstread.recordings.pair import HEADER, SAMPLES, unzipped
from firstread.recordings.recording import MAX_LEADS, MAX_NUMBERS, Recording
from firstread.recordings.signals import Signal, leads_among, other_name
from firstread.recordings.together import named_files
from firstread.recordings.units import in_millivolts, is_lead
from firstread.recordings.wfdb import open_wfdb
from firstread.recordings.wfdb_segments import main_header, open_segments
from firstread.recordings.whole import whole_recording

FORMS = "a WFDB recording (.hea and .dat together), CSV, EDF, or a DICOM waveform"
_TIMES = 8
"""As often a recording is in memory while it is opened: its samples become floating point."""
_ZIP = b"PK\x03\x04"
_EDF = (b"0       ", b"\xffBIOSEMI")
_RATES_HZ = (50.0, 10_000.0)


def is_recording(data: bytes) -> bool:
    """Whether the bytes begin as one of the forms of a recording does; a cheap look, no promise.

    >>> png = bytes([137, 80, 78, 71, 13, 10, 26, 10])
    >>> is_recording(b"time,II" + bytes([10]) + b"0,0.1"), is_recording(png)
    (True, False)
    """
    return data[:4] == _ZIP or data[:8] in _EDF or is_dicom(data) or _is_text(data)


def open_recording(data: bytes) -> Recording:
    """The recording that `data` holds: a zip with one WFDB record, CSV, EDF or EDF+, or a DICOM
    waveform.

    Raises UnreadableSample, with the remedy, where the bytes cannot be opened, and ShortOfMemory
    where there is too little of it now.
    """
    why = foreign_form(data)
    if why is not None:
        raise UnreadableSample(why)
    with BUDGET.taken(min(_TIMES * len(data), BUDGET.total_bytes)):
        recording = _opened(data)
    low, high = _RATES_HZ
    if not low <= recording.rate_hz <= high:
        raise UnreadableSample(
            f"The recording has {recording.rate_hz:.6g} samples a second; {low:g} to {high:g} are "
            "read. Check the sampling rate in its header."
        )
    return recording


def _opened(data: bytes) -> Recording:
    if data[:4] == _ZIP:
        return _from_zip(data)
    if data[:8] in _EDF:
        return open_edf(data)
    if is_dicom(data):
        return _from_dicom(data)
    if _is_text(data):
        _refuse_lone_header(data)
        return open_csv(data)
    raise UnreadableSample(f"This is not a recording that Firstread can open. Send {FORMS}.")


def _from_zip(data: bytes) -> Recording:
    files = unzipped(data)
    headers = {name: body for name, body in files.items() if name.lower().endswith(HEADER)}
    samples = {name: body for name, body in files.items() if name.lower().endswith(SAMPLES)}
    main = main_header(headers)
    if main is not None:
        return open_segments(main, headers=headers, samples=samples)
    if len(headers) == 1:
        return open_wfdb(next(iter(headers.values())), samples=samples)
    if len(headers) > 1 or len(files) > 1:
        raise UnreadableSample("The zip file holds several recordings. Send them one by one.")
    inner = next(iter(files.values()), b"")
    if not inner or inner[:4] == _ZIP:
        raise UnreadableSample(f"The zip file holds no recording. Send {FORMS}.")
    return open_recording(inner)


def _from_dicom(data: bytes) -> Recording:
    found = open_waveform(data, max_numbers=MAX_NUMBERS, wanted=lambda one: not other_name(one))
    if not 0 < len(found.names) <= MAX_LEADS or found.values.size == 0:
        raise UnreadableSample("The DICOM file holds no samples. Export it again.")
    leads = leads_among(
        [
            Signal(name=name if is_lead(name) else source, unit=unit)
            for name, source, unit in zip(found.names, found.sources, found.units, strict=True)
        ],
        file="DICOM file",
    )
    factors = [in_millivolts(found.units[place]) for place in leads.places]
    return whole_recording(
        found.values[list(leads.places)] * np.array(factors, np.float32)[:, None],
        rate_hz=found.rate_hz,
        names=[found.names[place] for place in leads.places],
        started_at=found.started_at,
        notes=(*leads.notes, *found.notes),
    )


def _refuse_lone_header(data: bytes) -> None:
    """Half of a pair is the commonest mistake, and deserves its own sentence."""
    first = data[:2000].decode("utf-8", errors="replace").lstrip()
    lines = [line for line in first.splitlines() if not line.startswith("#")]
    if (
        len(lines) > 1
        and any(f"{one} " in lines[1] for one in SAMPLES)
        and lines[0][:1] not in "'\""
    ):
        raise UnreadableSample(
            "This is the header of a WFDB recording alone. Send it together with what it names: "
            f"{', '.join(named_files(data)[:8]) or ' or '.join(SAMPLES)}."
        )


def _is_text(data: bytes) -> bool:
    if not data.strip():
        return False
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # UTF-16, which is full of zeros
        return True
    first = data[:4096]
    return not any(byte < 9 or 13 < byte < 32 or byte == 127 for byte in first)
