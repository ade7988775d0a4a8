"""An EDF or EDF+ file becomes a recording; whose it is stays in the file."""

from __future__ import annotations

import datetime as dt
import warnings
from collections import Counter
from typing import Any

import numpy as np

from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import MAX_LEADS, Recording
from firstread.recordings.units import in_millivolts, lead_name
from firstread.recordings.whole import refuse_too_many, whole_recording

_DAMAGED = (
    ValueError, TypeError, LookupError, ArithmeticError, AttributeError, NameError, OSError,
)  # fmt: skip
"""What edfio was seen to raise on files that are not as the format asks for."""


def open_edf(data: bytes) -> Recording:
    """The electrocardiogram in an EDF file: the leads that are named so, else all that are volts.

    Raises UnreadableSample where the file is damaged, cut short, or holds no such lead.
    """
    import edfio  # here, for it takes longer to import than a picture to read

    try:
        with warnings.catch_warnings():
            # edfio mends a file that is cut short, and only warns of it.
            warnings.simplefilter("error")
            file = edfio.read_edf(data, lazy_load_data=True)
            signals = _chosen(file.signals)
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
    return _recording(file, signals)


def _chosen(signals: tuple[Any, ...]) -> list[Any]:
    """The leads of the heart, all with the rate that most of them have."""
    named = [each for each in signals if _is_heart(each.label)]
    volts = [each for each in signals if each.physical_dimension.strip().lower().endswith("v")]
    found = named or volts
    if not found:
        return []
    rates = Counter(each.sampling_frequency for each in found)
    rate = max(rates, key=lambda one: (rates[one], one))
    return [each for each in found if each.sampling_frequency == rate][:MAX_LEADS]


def _is_heart(label: str) -> bool:
    plain = label.strip().upper()
    return plain.startswith(("ECG", "EKG")) or not lead_name(label, place=0).startswith("lead ")


def _recording(file: Any, signals: list[Any]) -> Recording:
    if not signals:
        raise UnreadableSample(
            "The EDF file holds no electrocardiogram. Send one with leads such as 'ECG II'."
        )
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
    return whole_recording(rows, rate_hz=rate_hz, names=names, started_at=_moment(file))


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
