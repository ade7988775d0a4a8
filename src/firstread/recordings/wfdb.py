"""A WFDB record, header and samples, becomes a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import Recording
from firstread.recordings.signals import Signal, leads_among
from firstread.recordings.units import in_millivolts
from firstread.recordings.wfdb_header import Header, SignalLine, parse_header
from firstread.recordings.wfdb_samples import (
    count_of,
    not_measured,
    refuse_other_matrix,
    steps,
    unit_samples,
)
from firstread.recordings.whole import refuse_too_many, whole_recording

_AT_ONCE = 1 << 20
"""About how many samples are unpacked at once, so that a day of them needs no memory twice."""


def open_wfdb(header: bytes, *, samples: Mapping[str, bytes]) -> Recording:
    """The recording of a .hea and of its .dat or .mat files, which `samples` holds by their names.

    Signals that are no leads are left out, and noted. Raises UnreadableSample where the files do
    not go together, are damaged, or are not understood.
    """
    told = parse_header(text_of(header))
    if told.segments:
        raise UnreadableSample(
            "This is the header of a recording in several segments. Send a zip with it and with "
            "the .hea and .dat file of every segment."
        )
    found = decoded(told, samples=samples)
    return whole_recording(
        found.signal,
        rate_hz=told.rate_hz,
        names=found.names,
        started_at=told.started_at,
        notes=found.notes,
    )


def text_of(header: bytes) -> str:
    """The text of a header: UTF-8, or else Latin-1, in which every byte is a letter."""
    try:
        return header.decode("utf-8-sig")
    except UnicodeDecodeError:
        return header.decode("latin-1")


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """The leads of one record, NaN where they were not measured."""

    signal: NDArray[np.float32]
    """[C, T] in millivolts"""
    names: tuple[str, ...]
    notes: tuple[str, ...]


def decoded(told: Header, *, samples: Mapping[str, bytes]) -> Decoded:
    """The leads among the signals of a record; raises UnreadableSample as `open_wfdb` does."""
    leads = leads_among(
        [Signal(name=line.lead, unit=line.units) for line in told.signals], file="record"
    )
    by_file: dict[str, list[int]] = {}
    for row, line in enumerate(told.signals):
        by_file.setdefault(line.file, []).append(row)
    alone = len(by_file) == 1
    needed = {told.signals[row].file for row in leads.places}
    bodies = {file: _file(file, samples, alone=alone) for file in by_file if file in needed}
    lengths = {file: _length(told, by_file[file], data) for file, data in bodies.items()}
    length = min(lengths.values())
    if told.length is not None and told.length > length:
        raise UnreadableSample(
            f"The recording is cut short: its header promises {told.length} samples of each lead, "
            f"and there are {length}. Copy both files again."
        )
    length = told.length or length
    refuse_too_many(length * len(told.signals))
    if length == 0 or told.rate_hz <= 0:
        raise UnreadableSample("The recording holds no samples. Export it again.")
    signal = np.empty((len(leads.places), length), np.float32)
    into = {row: place for place, row in enumerate(leads.places)}
    for file, data in bodies.items():
        _fill(signal, told, rows=by_file[file], into=into, data=data)
    lines = [told.signals[row] for row in leads.places]
    return Decoded(
        signal=signal,
        names=tuple(line.lead for line in lines),
        notes=(*leads.notes, *_uncalibrated(lines)),
    )


def _uncalibrated(lines: list[SignalLine]) -> list[str]:
    count = sum(not line.calibrated for line in lines)
    if not count:
        return []
    which = "The leads are" if count == len(lines) else f"{count} of the leads are"
    return [f"{which} not calibrated: 200 steps were taken for a millivolt, as the format says."]


def _file(name: str, samples: Mapping[str, bytes], *, alone: bool) -> bytes:
    if name in samples:
        return samples[name]
    plain = {each.rsplit("/", 1)[-1].casefold(): data for each, data in samples.items()}
    found = plain.get(name.casefold())
    # Someone who renamed both files of a pair left the old name inside the header.
    if found is None and alone and len(plain) == 1:
        found = next(iter(plain.values()))
    if found is None:
        raise UnreadableSample(
            f"The file {PurePath(name).suffix[:8] or 'with the samples'} with the samples that the "
            "header names is not there. Send the .hea file together with every file that it names."
        )
    return found


def _length(told: Header, rows: list[int], data: bytes) -> int:
    lines = [told.signals[row] for row in rows]
    first = lines[0]
    if any((line.form, line.offset) != (first.form, first.offset) for line in lines):
        raise UnreadableSample(
            "The leads in one file have different formats. Export the recording again."
        )
    refuse_other_matrix(data, form=first.form, offset=first.offset, signals=len(lines))
    size = len(data) - first.offset
    return count_of(max(0, size), form=first.form) // sum(line.per_frame for line in lines)


def _fill(
    signal: NDArray[np.float32],
    told: Header,
    *,
    rows: list[int],
    into: Mapping[int, int],
    data: bytes,
) -> None:
    lines = [told.signals[row] for row in rows]
    form, offset = lines[0].form, lines[0].offset
    data = data[offset:] if offset else data
    frame, length = sum(line.per_frame for line in lines), signal.shape[1]
    sums = np.zeros(len(lines), np.int64)
    # A piece holds whole frames and begins with a unit of the format.
    piece = max(1, _AT_ONCE // (frame * unit_samples(form))) * unit_samples(form)
    for begin in range(0, length, piece):
        end = min(length, begin + piece)
        found = steps(data, form=form, first=begin * frame, count=(end - begin) * frame)
        frames = found.reshape(end - begin, frame)
        column = 0
        for place, (row, line) in enumerate(zip(rows, lines, strict=True)):
            own = frames[:, column : column + line.per_frame]
            column += line.per_frame
            sums[place] += int(own.sum(dtype=np.int64))
            if row in into:
                signal[into[row], begin:end] = _voltage(own, line)
    _refuse_other_sums(lines, sums)
    for row, line in zip(rows, lines, strict=True):
        if row in into and line.skew:
            _moved(signal[into[row]], by=line.skew)


def _moved(lead: NDArray[np.float32], *, by: int) -> None:
    """Samples that lie so many frames too late go where they belong; the last ones are missing."""
    by = min(by, len(lead))
    lead[: len(lead) - by] = lead[by:].copy()
    lead[len(lead) - by :] = np.nan


def _voltage(own: NDArray[np.int32], line: SignalLine) -> NDArray[np.float32]:
    values = (own.astype(np.float64) - line.baseline) * (in_millivolts(line.units) / line.gain)
    values[own == not_measured(line.form)] = np.nan
    return np.asarray(values.mean(axis=1), np.float32)


def _refuse_other_sums(lines: list[SignalLine], sums: NDArray[np.int64]) -> None:
    for line, total in zip(lines, sums.tolist(), strict=True):
        if line.checksum is not None and (total - line.checksum) % 65536:
            raise UnreadableSample(
                "The samples do not add up to the checksum in the header: one of the two files "
                "is damaged, or they are of two recordings. Copy both again."
            )
