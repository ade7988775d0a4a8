"""The signal of a recording for pages: made once beside the store, given out piece by piece.

Nothing of the recording's header lies in the file but the leads' names and the sampling rate, so a
page can show no name that stands there. The page asks for tiles: whole numbers with a scale, and
for a look from afar the lowest and highest value of every 8, 64 or 512.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firstread.clinic.storage import cache, store
from firstread.domain.errors import UnknownCase
from firstread.recordings import Recording, open_recording
from firstread.recordings.paper import Row, row_of

STEPS = (1, 8, 64, 512)
"""How many samples one place of each level stands for."""
TILE = 4096
"""Places in one tile."""
UNIT_MV = 0.001
"""What one of the whole numbers stands for, unless the signal is too large for that."""
_LARGEST = 32_000
_FORM = 2
_HEADER_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One recording's signal, as it lies in its file."""

    path: Path
    leads: tuple[str, ...]
    rate_hz: float
    samples: int
    """Of each lead."""
    unit_mv: float
    row: Row
    began: str
    """The time of day at which it began, such as '14:02:10'; '' where nobody knows."""

    @property
    def duration_s(self) -> float:
        return self.samples / self.rate_hz

    def stretch(self, *, starts_s: float, lasts_s: float) -> NDArray[np.float32]:
        """The signal [C, n] in mV from a moment on."""
        first = min(self.samples, max(0, round(starts_s * self.rate_hz)))
        after = min(self.samples, first + max(1, round(lasts_s * self.rate_hz)))
        whole = self._level(0)[:, first:after, 0]
        return whole.astype(np.float32) * np.float32(self.unit_mv)

    def tile(self, level: int, number: int) -> bytes:
        """Little-endian int16 [C, n] of level 0, else [C, n, 2]; raises UnknownCase behind it."""
        if not (0 <= level < len(STEPS) and 0 <= number * TILE < _places(self.samples, level)):
            raise UnknownCase("The recording has no such piece. Open the case anew.")
        return self._level(level)[:, number * TILE : (number + 1) * TILE].tobytes()

    def _level(self, level: int) -> NDArray[np.int16]:
        offset = _HEADER_BYTES + sum(self._bytes_of(below) for below in range(level))
        return np.memmap(self.path, dtype="<i2", mode="r", offset=offset, shape=self._shape(level))

    def _shape(self, level: int) -> tuple[int, int, int]:
        return (len(self.leads), _places(self.samples, level), 2 if level else 1)

    def _bytes_of(self, level: int) -> int:
        return 2 * math.prod(self._shape(level))


def trace_of(sha256: str) -> Trace:
    """The signal of the recording of that hash; raises UnreadableSample."""
    path = cache.place_of(sha256, form="trace")
    found = _opened(path)
    return found if found is not None else _made(path, store.open(sha256))


def _opened(path: Path) -> Trace | None:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        said = json.loads(header)
    except (FileNotFoundError, ValueError):
        return None
    if said.get("form") != _FORM:
        return None
    return Trace(
        path=path,
        leads=tuple(said["leads"]),
        rate_hz=said["rate_hz"],
        samples=said["samples"],
        unit_mv=said["unit_mv"],
        row=Row(
            height_mm=said["row_mm"],
            mm_per_mv=said["mm_per_mv"],
            middles_mv=tuple(said["middles_mv"]),
        ),
        began=said["began"],
    )


def _made(path: Path, data: bytes) -> Trace:
    cache.write(path, _pieces(open_recording(data)))
    made = _opened(path)
    assert made is not None  # noqa: S101 - it was written a moment ago
    return made


def _pieces(recording: Recording) -> Iterator[bytes]:
    """The header, then the numbers of each level; made one by one, for days are long."""
    unit_mv = _unit_mv(recording.signal)
    numbers = _in_numbers(recording.signal, unit_mv=unit_mv)
    yield _header(recording, unit_mv=unit_mv)
    yield numbers.tobytes()
    for step in STEPS[1:]:
        yield _extremes(numbers, step=step).tobytes()


def _header(recording: Recording, *, unit_mv: float) -> bytes:
    """What `_opened` reads; of a fixed length, by which the numbers are found behind it."""
    row = row_of(recording.signal, rate_hz=recording.rate_hz)
    said = json.dumps(
        {
            "form": _FORM,
            "leads": recording.leads,
            "rate_hz": float(recording.rate_hz),
            "samples": recording.signal.shape[1],
            "unit_mv": unit_mv,
            "row_mm": round(row.height_mm, 1),
            "mm_per_mv": row.mm_per_mv,
            "middles_mv": row.middles_mv,
            "began": "" if recording.started_at is None else f"{recording.started_at:%H:%M:%S}",
        }
    )
    return said.encode().ljust(_HEADER_BYTES)


def _unit_mv(signal: NDArray[np.float32]) -> float:
    largest = max(float(signal.max(initial=0.0)), -float(signal.min(initial=0.0)))
    return max(UNIT_MV, largest / _LARGEST)


def _in_numbers(signal: NDArray[np.float32], *, unit_mv: float) -> NDArray[np.int16]:
    numbers = np.empty(signal.shape, dtype="<i2")
    for lead, row in zip(signal, numbers, strict=True):  # a lead at a time: days are long
        row[:] = np.rint(lead / np.float32(unit_mv)).clip(-_LARGEST, _LARGEST)
    return numbers


def _extremes(numbers: NDArray[np.int16], *, step: int) -> NDArray[np.int16]:
    """The lowest and highest of each `step` samples [C, n, 2]."""
    edges = np.arange(0, numbers.shape[1], step)
    low = np.minimum.reduceat(numbers, edges, axis=1)
    return np.stack([low, np.maximum.reduceat(numbers, edges, axis=1)], axis=2)


def _places(samples: int, level: int) -> int:
    return -(-samples // STEPS[level])
