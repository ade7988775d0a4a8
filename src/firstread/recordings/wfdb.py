"""A WFDB record, header and samples, becomes a recording."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import Recording
from firstread.recordings.units import in_millivolts
from firstread.recordings.wfdb_header import Header, SignalLine, parse_header
from firstread.recordings.wfdb_samples import count_of, not_measured, steps, unit_samples
from firstread.recordings.whole import refuse_too_many, whole_recording

_AT_ONCE = 1 << 20
"""About how many samples are unpacked at once, so that a day of them needs no memory twice."""


def open_wfdb(header: bytes, *, samples: Mapping[str, bytes]) -> Recording:
    """The recording of a .hea and of its .dat files, which `samples` holds by their names.

    Raises UnreadableSample where they do not go together, are damaged, or are not understood.
    """
    told = parse_header(header.decode("utf-8", errors="replace"))
    by_file: dict[str, list[int]] = {}
    for row, line in enumerate(told.signals):
        by_file.setdefault(line.file, []).append(row)
    lengths = {file: _length(told, file, rows, samples) for file, rows in by_file.items()}
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
    signal = np.empty((len(told.signals), length), np.float32)
    for file, rows in by_file.items():
        _fill(signal, told, rows=rows, data=_file(file, samples))
    return whole_recording(
        signal,
        rate_hz=told.rate_hz,
        names=[each.lead for each in told.signals],
        started_at=told.started_at,
    )


def _file(name: str, samples: Mapping[str, bytes]) -> bytes:
    if name in samples:
        return samples[name]
    plain = {each.rsplit("/", 1)[-1].casefold(): data for each, data in samples.items()}
    found = plain.get(name.casefold())
    # Someone who renamed both files of a pair left the old name inside the header.
    if found is None and len(plain) == 1:
        found = next(iter(plain.values()))
    if found is None:
        raise UnreadableSample(
            "The file with the samples that the header names is not there. Send the .hea and the "
            ".dat file together."
        )
    return found


def _length(told: Header, file: str, rows: list[int], samples: Mapping[str, bytes]) -> int:
    lines = [told.signals[row] for row in rows]
    first = lines[0]
    if any((line.form, line.offset) != (first.form, first.offset) for line in lines):
        raise UnreadableSample(
            "The leads in one file have different formats. Export the recording again."
        )
    size = len(_file(file, samples)) - first.offset
    return count_of(max(0, size), form=first.form) // sum(line.per_frame for line in lines)


def _fill(signal: NDArray[np.float32], told: Header, *, rows: list[int], data: bytes) -> None:
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
            signal[row, begin:end] = _voltage(own, line)
    _refuse_other_sums(lines, sums)


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
