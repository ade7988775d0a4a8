"""The waveform in a DICOM file: its channels as they were measured, and nothing of whose it is."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstread.dicom.damage import DAMAGED
from firstread.domain.errors import UnreadableSample


@dataclass(frozen=True, kw_only=True, eq=False)
class Waveform:
    """The longest group of channels in a DICOM file."""

    values: NDArray[np.float32]
    """[C, T] in the units beside."""
    rate_hz: float
    names: tuple[str, ...]
    units: tuple[str, ...]
    started_at: dt.datetime | None


def open_waveform(data: bytes, *, max_numbers: int) -> Waveform:
    """The waveform of a DICOM file, such as a 12-lead ECG (PS3.3, C.10.9).

    Of several groups (rhythm strip and median beats) the longest is taken. Raises UnreadableSample
    where there is none, it is damaged, or it holds more than `max_numbers` samples.
    """
    try:
        import pydicom
    except ImportError:
        raise UnreadableSample(
            "This is a DICOM file, and this installation does not open those. Install them: "
            "pip install 'firstread[dicom]'"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that no waveform depends on
            return _waveform(pydicom.dcmread(BytesIO(data)), max_numbers=max_numbers)
    except DAMAGED:
        raise UnreadableSample(
            "The waveform in the DICOM file cannot be opened: it is damaged, or packed in a way "
            "that is not read. Export it again."
        ) from None


def _waveform(dataset: Any, *, max_numbers: int) -> Waveform:
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        raise UnreadableSample("The DICOM file holds no waveform. Send a DICOM electrocardiogram.")
    place = max(range(len(groups)), key=lambda one: _length(groups[one]))
    group = groups[place]
    if _length(group) * int(group.NumberOfWaveformChannels) > max_numbers:
        raise UnreadableSample(
            f"The recording has more than {max_numbers} samples. Send a shorter part of it."
        )
    channels = list(group.ChannelDefinitionSequence)
    return Waveform(
        values=np.ascontiguousarray(dataset.waveform_array(place).T, np.float32),
        rate_hz=float(group.SamplingFrequency),
        names=tuple(_name(each) for each in channels),
        units=tuple(_unit(each) for each in channels),
        started_at=_moment(dataset),
    )


def _length(group: Any) -> int:
    return int(group.get("NumberOfWaveformSamples") or 0)


def _name(channel: Any) -> str:
    """'Lead II (Einthoven)' is II: of the source's meaning only what may name a lead."""
    sources = channel.get("ChannelSourceSequence") or []
    meaning = str(sources[0].get("CodeMeaning", "")) if sources else ""
    text = meaning or str(channel.get("ChannelLabel", ""))
    words = text.replace("(", " ").replace("Lead", " ").replace("lead", " ").split()
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
