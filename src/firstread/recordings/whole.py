"""What a form's reader found becomes a recording: gaps are bridged, leads called by their names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import MAX_NUMBERS, Recording
from firstread.recordings.silence import held, joined_spans, not_measured
from firstread.recordings.units import lead_name


def whole_recording(
    signal: NDArray[np.float32],
    *,
    rate_hz: float,
    names: Sequence[str],
    started_at: dt.datetime | None = None,
    notes: Sequence[str] = (),
) -> Recording:
    """The recording of `signal` [C, T] in millivolts, which is changed in place; NaN is a gap.

    `names` are as the file has them; what is no name of a lead is dropped.
    """
    gaps = [not_measured(lead, rate_hz=rate_hz) for lead in signal]
    missing = bridge(signal)
    silent = tuple(
        joined_spans(gap, held(lead, rate_hz=rate_hz), rate_hz=rate_hz)
        for gap, lead in zip(gaps, signal, strict=True)
    )
    return Recording(
        signal=signal,
        rate_hz=rate_hz,
        leads=tuple(lead_name(name, place=place) for place, name in enumerate(names, start=1)),
        started_at=started_at,
        missing=missing,
        silent=silent if any(len(spans) for spans in silent) else (),
        notes=tuple(notes),
    )


def bridge(signal: NDArray[np.float32]) -> tuple[float, ...]:
    """Draw straight lines over what is not finite in `signal` [C, T]; the share of each lead so.

    A lead without any number becomes zero.

    >>> lead = np.array([[1, np.nan, np.nan, 4]], np.float32)
    >>> bridge(lead), lead.tolist()
    ((0.5,), [[1.0, 2.0, 3.0, 4.0]])
    """
    missing = []
    for lead in signal:
        gaps = ~np.isfinite(lead)
        share = float(gaps.mean()) if lead.size else 0.0
        missing.append(share)
        if share == 1.0:
            lead[:] = 0.0
        elif share > 0.0:
            at = np.flatnonzero(~gaps)
            lead[gaps] = np.interp(np.flatnonzero(gaps), at, lead[at])
    return tuple(missing)


def refuse_too_many(numbers: int) -> None:
    """Raises UnreadableSample where a recording has more numbers than are opened."""
    if numbers > MAX_NUMBERS:
        raise UnreadableSample(
            f"The recording has more than {MAX_NUMBERS} samples. Send a shorter part of it."
        )
