"""The waveform in a DICOM file: its channels as they were measured, and nothing of whose it is."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.dicom.damage import DAMAGED
from firstread.dicom.opening import opened
from firstread.domain.errors import UnreadableSample

_NO_TRUE_SIGNAL = {"DISCONNECTED", "INVALID", "TEST DATA"}
"""States of a channel (003A,0205) in which its samples are none of the patient's."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Waveform:
    """One group of channels in a DICOM file."""

    values: NDArray[np.float32]
    """[C, T] in the units beside; NaN where the file says that nothing was measured."""
    rate_hz: float
    names: tuple[str, ...]
    sources: tuple[str, ...]
    """What each channel is, in all the words of the file."""
    units: tuple[str, ...]
    started_at: dt.datetime | None
    notes: tuple[str, ...]


def open_waveform(
    data: bytes, *, max_numbers: int, wanted: Callable[[str], bool] = bool
) -> Waveform:
    """The waveform of a DICOM file, such as a 12-lead ECG (PS3.3, C.10.9).

    Of several groups (rhythm strip and median beats) the longest is taken of those that have a
    channel of a `wanted` source, and the others are noted. Raises UnreadableSample
    where there is none, it is damaged, or it holds more than `max_numbers` samples.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that no waveform depends on
            dataset = opened(data, pixels=True)
            return _waveform(dataset, max_numbers=max_numbers, wanted=wanted)
    except DAMAGED:
        raise UnreadableSample(
            "The waveform in the DICOM file cannot be opened: it is damaged, or packed in a way "
            "that is not read. Export it again."
        ) from None


def _waveform(dataset: Any, *, max_numbers: int, wanted: Callable[[str], bool]) -> Waveform:
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        raise UnreadableSample("The DICOM file holds no waveform. Send a DICOM electrocardiogram.")
    place = max(
        range(len(groups)),
        key=lambda one: (
            any(wanted(_source(each)) for each in groups[one].ChannelDefinitionSequence),
            _length(groups[one]),
        ),
    )
    group = groups[place]
    if _length(group) * int(group.NumberOfWaveformChannels) > max_numbers:
        raise UnreadableSample(
            f"The recording has more than {max_numbers} samples. Send a shorter part of it."
        )
    channels = list(group.ChannelDefinitionSequence)
    rate_hz = float(group.SamplingFrequency)
    values = np.ascontiguousarray(dataset.waveform_array(place).T, np.float32)
    _without_padding(values, dataset, place)
    for lead, channel in zip(values, channels, strict=True):
        _moved(lead, by=_skew(channel, rate_hz=rate_hz))
    return Waveform(
        values=values,
        rate_hz=rate_hz,
        names=tuple(_name(each) for each in channels),
        sources=tuple(_source(each) for each in channels),
        units=tuple(_unit(each) for each in channels),
        started_at=_moment(dataset),
        notes=(*_other_groups(len(groups)), *_switched_off(values, channels)),
    )


def _without_padding(values: NDArray[np.float32], dataset: Any, place: int) -> None:
    """NaN where the raw samples are the value that stands for none (C.10.9.1.5)."""
    from pydicom.waveforms.numpy_handler import multiplex_array

    group = dataset.WaveformSequence[place]
    stated = group.get("WaveformPaddingValue")
    if stated is None or stated == b"":
        return
    raw = multiplex_array(dataset, place, as_raw=True)
    size = raw.dtype.itemsize
    if isinstance(stated, bytes):
        order = raw.dtype.newbyteorder("<" if dataset.original_encoding[1] else ">")
        padding = np.frombuffer(stated[:size], order)[0]
    else:
        padding = raw.dtype.type(stated)
    values[(raw == padding).T] = np.nan


def _skew(channel: Any, *, rate_hz: float) -> int:
    """By how many samples a channel was measured later than its group says."""
    seconds = float(channel.get("ChannelTimeSkew") or 0.0)
    samples = float(channel.get("ChannelSampleSkew") or 0.0)
    return round(samples or seconds * rate_hz)


def _moved(lead: NDArray[np.float32], *, by: int) -> None:
    if by > 0:
        lead[by:] = lead[: max(0, len(lead) - by)].copy()
        lead[:by] = np.nan
    elif by < 0:
        lead[:by] = lead[-by:].copy()
        lead[by:] = np.nan


def _other_groups(count: int) -> list[str]:
    if count == 1:
        return []
    others = "One other waveform" if count == 2 else f"{count - 1} other waveforms"
    return [f"{others} of the file {'was' if count == 2 else 'were'} left out."]


def _switched_off(values: NDArray[np.float32], channels: list[Any]) -> list[str]:
    """Channels that the file itself calls disconnected or no true ones are not measured."""
    count = 0
    for lead, channel in zip(values, channels, strict=True):
        status = channel.get("ChannelStatus") or []
        states = {status} if isinstance(status, str) else set(status)
        if states & _NO_TRUE_SIGNAL:
            lead[:] = np.nan
            count += 1
    if not count:
        return []
    told = (
        f"{count} of the channels {'is' if count == 1 else 'are'} not connected, as the file says, "
        "or no true signal, and not measured."
    )
    return [told]


def _length(group: Any) -> int:
    return int(group.get("NumberOfWaveformSamples") or 0)


def _source(channel: Any) -> str:
    sources = channel.get("ChannelSourceSequence") or []
    meaning = str(sources[0].get("CodeMeaning", "")) if sources else ""
    return meaning or str(channel.get("ChannelLabel", ""))


def _name(channel: Any) -> str:
    """'Lead II (Einthoven)' is II: of the source's meaning only what may name a lead."""
    words = _source(channel).replace("(", " ").replace("Lead", " ").replace("lead", " ").split()
    return words[0] if words else ""


def _unit(channel: Any) -> str:
    units = channel.get("ChannelSensitivityUnitsSequence") or []
    return str(units[0].get("CodeValue", "")) if units else ""


def _moment(dataset: Any) -> dt.datetime | None:
    text = str(dataset.get("AcquisitionDateTime") or "")[:14]
    if not text:
        text = str(dataset.get("ContentDate") or "") + str(dataset.get("ContentTime") or "")[:6]
    try:
        return dt.datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007  the device's own clock
    except ValueError:
        return None
