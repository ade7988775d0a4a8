"""A WFDB record in several segments, each with a header of its own, becomes one recording."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import Recording
from firstread.recordings.wfdb import Decoded, decoded, text_of
from firstread.recordings.wfdb_header import Header, parse_header
from firstread.recordings.whole import refuse_too_many, whole_recording

_NOTHING = "~"
"""Stands for a stretch in which nothing was measured."""


def main_header(headers: Mapping[str, bytes]) -> str | None:
    """Of several headers the one whose segments the others are; None where there is no such.

    >>> main_header({"a.hea": b"a/1 1 360 10\\nb 10", "b.hea": b"b 1 360 10\\nb.dat 16"})
    'a.hea'
    """
    found = {}
    for name, header in headers.items():
        first = next((one for one in text_of(header).splitlines() if one[:1] not in ("#", "")), "")
        if "/" in first.split(" ")[0]:
            found[name] = parse_header(text_of(header))
    if len(found) != 1:
        return None
    name, told = next(iter(found.items()))
    its = {f"{segment}.hea".casefold() for segment, _ in told.segments}
    others = {each.casefold() for each in headers} - {name.casefold()}
    return name if others <= its else None


def open_segments(
    name: str, *, headers: Mapping[str, bytes], samples: Mapping[str, bytes]
) -> Recording:
    """The recording whose main header is called `name`; what no segment holds is not measured.

    Raises UnreadableSample where a segment is missing, is damaged, or contradicts the main header.
    """
    told = parse_header(text_of(headers[name]))
    plain = {each.casefold(): body for each, body in headers.items()}
    lengths = [length for _, length in told.segments]
    whole = sum(lengths)
    if told.length is not None and told.length != whole:
        raise UnreadableSample(
            f"The header promises {told.length} samples, and its segments have {whole}. Export "
            "the recording again."
        )
    parts: list[tuple[int, Decoded]] = []
    begin = 0
    for segment, length in told.segments:
        if segment != _NOTHING and length:  # the first may only say how the others are laid out
            parts.append((begin, _part(segment, length, plain, samples, rate_hz=told.rate_hz)))
        begin += length
    if not parts or not whole:
        raise UnreadableSample("The recording holds no samples. Export it again.")
    return _joined(parts, whole=whole, told=told)


def _part(
    segment: str,
    length: int,
    headers: Mapping[str, bytes],
    samples: Mapping[str, bytes],
    *,
    rate_hz: float,
) -> Decoded:
    header = headers.get(f"{segment}.hea".casefold())
    if header is None:
        raise UnreadableSample(
            "A segment that the header names is not in the zip. Send the .hea and the .dat file "
            "of every segment with it."
        )
    told = parse_header(text_of(header))
    if told.segments:
        raise UnreadableSample("A segment has segments of its own. Export the recording again.")
    if told.rate_hz != rate_hz:
        raise UnreadableSample(
            f"The recording has {rate_hz:g} samples a second, and one of its segments says "
            f"{told.rate_hz:g}. Export the recording again."
        )
    found = decoded(told, samples=samples)
    if found.signal.shape[1] != length:
        raise UnreadableSample(
            f"A segment holds {found.signal.shape[1]} samples, where the header promises {length}. "
            "Export the recording again."
        )
    return found


def _joined(parts: list[tuple[int, Decoded]], *, whole: int, told: Header) -> Recording:
    # A lead has the same name in every segment; one without a name is known by its place.
    keys = [[name or str(place) for place, name in enumerate(part.names)] for _, part in parts]
    rows = {key: row for row, key in enumerate(dict.fromkeys(key for own in keys for key in own))}
    refuse_too_many(whole * len(rows))
    signal = np.full((len(rows), whole), np.nan, np.float32)
    for (begin, part), own in zip(parts, keys, strict=True):
        for key, lead in zip(own, part.signal, strict=True):
            signal[rows[key], begin : begin + len(lead)] = lead
    return whole_recording(
        signal,
        rate_hz=told.rate_hz,
        names=list(rows),
        started_at=told.started_at,
        notes=tuple(dict.fromkeys(note for _, part in parts for note in part.notes)),
    )
