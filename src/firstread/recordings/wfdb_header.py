"""The text header (.hea) of a WFDB record: https://wfdb.io/spec/header-files.html"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass

from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import MAX_LEADS, MAX_NUMBERS

_RECORD = re.compile(
    r"(?P<name>[\w.-]+)(?:/(?P<segments>\d+))?[ \t]+(?P<leads>\d+)"
    r"(?:[ \t]+(?P<rate>[\d.eE+-]+)(?:/[\d.()eE+-]+)?"
    r"(?:[ \t]+(?P<length>\d+)(?P<began>(?:[ \t]+\S+){0,4}))?)?[ \t]*"
)
_SIGNAL = re.compile(
    r"(?P<file>\S+)[ \t]+(?P<format>\d+)(?:x(?P<frame>\d+))?(?::(?P<skew>\d+))?"
    r"(?:\+(?P<offset>\d+))?"
    r"(?:[ \t]+(?P<gain>[\d.eE+-]+)(?:\((?P<baseline>-?\d+)\))?(?:/(?P<units>\S+))?"
    r"(?:[ \t]+(?P<bits>-?\d+)(?:[ \t]+(?P<zero>-?\d+)(?:[ \t]+(?P<first>-?\d+)"
    r"(?:[ \t]+(?P<sum>-?\d+)(?:[ \t]+-?\d+(?:[ \t]+(?P<lead>.+))?)?)?)?)?)?)?[ \t]*"
)
_SEGMENT = re.compile(r"(?P<name>[\w.~-]+)[ \t]+(?P<length>\d+)[ \t]*")
MAX_SEGMENTS = 1000
_RATE_HZ = 250.0
_UNCALIBRATED = 200.0
"""What the format says where a header gives no rate, or no gain."""
_MAX_FRAME = 100
_GAINS = (1e-9, 1e9)
_MOST_DIGITS = 18


@dataclass(frozen=True, kw_only=True)
class SignalLine:
    """One line of the header: where a lead's samples lie, and what one step means."""

    file: str
    form: int
    per_frame: int
    skew: int
    """How many frames later than those of the others its samples lie."""
    offset: int
    gain: float
    """Steps for one of the units."""
    calibrated: bool
    """Whether the header gives that gain."""
    baseline: int
    units: str
    checksum: int | None
    lead: str


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a header says of a record; `length` is None where it does not say."""

    rate_hz: float
    length: int | None
    started_at: dt.datetime | None
    signals: tuple[SignalLine, ...]
    segments: tuple[tuple[str, int], ...] = ()
    """Of a record in several parts, what each is called and how many samples it has."""


def parse_header(text: str) -> Header:
    """The header that a text holds; comments, which may name a person, are dropped.

    Raises UnreadableSample where it is no header, or of a kind that is not read.

    >>> header = parse_header("100 1 360 650000\\n100.dat 212 200 11 1024 995 -22131 0 MLII\\n")
    >>> header.rate_hz, header.signals[0].baseline, header.signals[0].lead
    (360.0, 1024, 'MLII')
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    found = _RECORD.fullmatch(lines[0]) if lines else None
    if found is None:
        raise _refusal("its first line does not name a record and a number of leads")
    count = _whole(found["leads"], "number of leads")
    if not 1 <= count <= MAX_LEADS:
        raise _refusal(f"it names {count} leads, where 1 to {MAX_LEADS} are read")
    parts = _whole(found["segments"], "number of segments")
    if parts > MAX_SEGMENTS:
        raise _refusal(f"it names {parts} segments, where {MAX_SEGMENTS} are read")
    if len(lines) < 1 + (parts or count):
        raise _refusal("it has fewer lines than leads or segments")
    rate_hz = _number(found["rate"], "sampling rate") if found["rate"] else _RATE_HZ
    length = _whole(found["length"], "number of samples")
    if length * count > MAX_NUMBERS:
        raise UnreadableSample(
            f"The header promises {length} samples of {count} leads, more than are read at once "
            f"({MAX_NUMBERS}). Send a shorter part of the recording, or fewer leads."
        )
    return Header(
        rate_hz=rate_hz,
        length=length or None,
        started_at=_moment((found["began"] or "").split()),
        signals=() if parts else tuple(_signal(line) for line in lines[1 : 1 + count]),
        segments=tuple(_segment(line) for line in lines[1 : 1 + parts]),
    )


def _segment(line: str) -> tuple[str, int]:
    found = _SEGMENT.fullmatch(line)
    if found is None:
        raise _refusal("the line of a segment is not as the format asks for")
    return found["name"], _whole(found["length"], "length of a segment")


def _signal(line: str) -> SignalLine:
    found = _SIGNAL.fullmatch(line)
    if found is None:
        raise _refusal("the line of a lead is not as the format asks for")
    gain = _number(found["gain"], "gain") if found["gain"] else 0.0
    if gain and not _GAINS[0] <= gain <= _GAINS[1]:
        raise _refusal(f"its gain of {gain:g} is that of no device")
    frame = _whole(found["frame"] or "1", "number of samples in a frame")
    if not 1 <= frame <= _MAX_FRAME:
        raise _refusal(f"a lead has {frame} samples in a frame")
    baseline = found["baseline"] or found["zero"] or "0"
    return SignalLine(
        file=found["file"],
        form=_whole(found["format"], "format"),
        per_frame=frame,
        skew=_whole(found["skew"], "skew"),
        offset=_whole(found["offset"], "offset"),
        gain=gain or _UNCALIBRATED,
        calibrated=bool(gain),
        baseline=_whole(baseline, "baseline"),
        units=found["units"] or "mV",
        checksum=None if found["sum"] is None else _whole(found["sum"], "checksum"),
        lead=found["lead"] or "",
    )


def _whole(text: str | None, what: str) -> int:
    """The whole number in a text of digits; 0 where there is none."""
    if text is not None and len(text) > _MOST_DIGITS:  # Python itself refuses some thousands
        raise _refusal(f"its {what} has {len(text)} digits")
    return int(text or 0)


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise _refusal(f"its {what} is no number")
    return value


def _moment(words: list[str]) -> dt.datetime | None:
    """Both, or nothing: a time without its day says little, and headers are often wrong.

    The format asks for 12:33:59 12/05/2020; there are headers with 12-May-2020 12:33:59.
    """
    time = next((word.partition(".")[0] for word in words if ":" in word), "")
    date = next((word for word in words if ":" not in word), "")
    for form in ("%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d", "%d.%m.%Y"):
        for clock in ("%H:%M:%S", "%H:%M"):
            try:
                return dt.datetime.strptime(f"{date} {time}", f"{form} {clock}")  # noqa: DTZ007  the device's own clock
            except ValueError:
                continue
    return None


def _refusal(why: str) -> UnreadableSample:
    return UnreadableSample(
        f"This is no WFDB header that can be read: {why}. Export the recording again."
    )
