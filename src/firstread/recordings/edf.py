"""An EDF, EDF+ or BDF file becomes a recording; whose it is stays in the file."""

from __future__ import annotations

import datetime as dt
import warnings
from collections import Counter
from functools import partial
from typing import Any

import numpy as np

from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import MAX_LEADS, Recording
from firstread.recordings.signals import Signal, leads_among
from firstread.recordings.units import in_millivolts
from firstread.recordings.whole import refuse_too_many, whole_recording

_DAMAGED = (
    ValueError, TypeError, LookupError, ArithmeticError, AttributeError, NameError, OSError,
)  # fmt: skip
"""What edfio was seen to raise on files that are not as the format asks for."""


def open_edf(data: bytes) -> Recording:
    """The electrocardiogram in an EDF or BDF file: the leads that are named so, else all that are
    volts.

    Raises UnreadableSample where the file is damaged, cut short, or holds no such lead.
    """
    import edfio  # here, for it takes longer to import than a picture to read

    opened: Any = (
        edfio.read_bdf if data[:1] == b"\xff" else partial(edfio.read_edf, lazy_load_data=True)
    )
    try:
        with warnings.catch_warnings():
            # edfio mends a file that is cut short, and only warns of it.
            warnings.simplefilter("error")
            # The standard asks for ASCII; devices write the micro sign in an alphabet of theirs.
            file = opened(data, header_encoding="latin-1")
            told = [_told(each) for each in file.signals]
            continuous = file.is_continuous
    except Warning:
        raise UnreadableSample(
            "The EDF file is cut short, or longer than its header says. Copy it again."
        ) from None
    except _DAMAGED:
        raise UnreadableSample(
            "The EDF file is damaged, or not as the format asks for. Export it again."
        ) from None
    if not continuous:
        raise UnreadableSample(
            "The EDF file has gaps in time (EDF+D). Export it as one continuous recording."
        )
    found = leads_among(told, file="EDF file", unnamed=False)
    return _recording(file, found.places, found.notes)


def _told(signal: Any) -> Signal:
    return Signal(
        name=signal.label,
        unit=signal.physical_dimension,
        rate_hz=float(signal.sampling_frequency),
    )


def _of_one_rate(signals: list[Any]) -> tuple[list[Any], tuple[str, ...]]:
    """Those with the rate that most of them have, and a sentence about the others."""
    rates = Counter(each.sampling_frequency for each in signals)
    rate = max(rates, key=lambda one: (rates[one], one))
    kept = [each for each in signals if each.sampling_frequency == rate][:MAX_LEADS]
    left = len(signals) - len(kept)
    if not left:
        return kept, ()
    told = (
        f"{left} of the leads were left out: {rate:g} samples a second in at most {MAX_LEADS} "
        "leads are read."
    )
    return kept, (told,)


def _recording(file: Any, places: tuple[int, ...], notes: tuple[str, ...]) -> Recording:
    signals, told = _of_one_rate([file.signals[place] for place in places])
    rate_hz = float(signals[0].sampling_frequency)
    length = len(signals[0].digital)
    if length == 0 or not np.isfinite(rate_hz) or rate_hz <= 0:
        raise UnreadableSample("The EDF file holds no samples. Export it again.")
    refuse_too_many(length * len(signals))
    rows = np.empty((len(signals), length), np.float32)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for place, each in enumerate(signals):
                rows[place] = _volts(each) * in_millivolts(each.physical_dimension)
    except (Warning, *_DAMAGED):
        raise UnreadableSample(
            "The EDF file does not say what its numbers mean: the physical or digital limits of a "
            "lead are wrong. Export it again."
        ) from None
    names = [each.label for each in signals]
    return whole_recording(
        rows, rate_hz=rate_hz, names=names, started_at=_moment(file), notes=(*notes, *told)
    )


def _volts(signal: Any) -> Any:
    # edfio gives bare steps where a limit is no number, and only warns where two are the same.
    limits = signal.physical_min, signal.physical_max, signal.digital_min, signal.digital_max
    if not np.isfinite(limits).all():
        raise ValueError("a limit is no number")
    return signal.data


def _moment(file: Any) -> dt.datetime | None:
    try:
        found: dt.datetime = file.startdatetime
    except _DAMAGED:  # also of a file whose date was taken out
        return None
    return found.replace(microsecond=0)
