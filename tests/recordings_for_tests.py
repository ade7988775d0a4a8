"""Recordings made for tests, in each of the forms that Firstread opens; of nobody."""

from __future__ import annotations

import io
import tempfile
import warnings
from pathlib import Path

import numpy as np


def wfdb_library():
    """The library wfdb, whose import of pandas warns of what pandas will do one day."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb
    return wfdb


def trace(*, length_s: float = 20.0, rate_hz: float = 360.0, leads: int = 2, beats_s=None):
    """Voltages [leads, T] in mV with a narrow peak at each of `beats_s`, by default every 0.8 s."""
    at = np.arange(int(length_s * rate_hz)) / rate_hz
    beats_s = np.arange(0.5, length_s - 0.3, 0.8) if beats_s is None else np.asarray(beats_s)
    one = np.zeros_like(at)
    for beat in beats_s:
        one += 1.2 * np.exp(-(((at - beat) / 0.012) ** 2))
        one -= 0.3 * np.exp(-(((at - beat - 0.03) / 0.012) ** 2))
        one += 0.25 * np.exp(-(((at - beat - 0.28) / 0.05) ** 2))
        one += 0.12 * np.exp(-(((at - beat + 0.16) / 0.025) ** 2))
    noise = np.random.default_rng(7).normal(0, 0.01, (leads, len(at)))
    gains = np.linspace(1.0, 0.6, leads)[:, None]
    return np.asarray(one * gains + noise, np.float64)


def as_wfdb(
    signal, *, rate_hz: float = 360.0, names=("MLII", "V1"), form: str = "212", comments=()
) -> dict[str, bytes]:
    """The two files of a WFDB record, written by the library wfdb."""
    wfdb = wfdb_library()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wfdb.wrsamp(
            "rec", fs=rate_hz, units=["mV"] * len(signal), sig_name=list(names)[: len(signal)],
            p_signal=signal.T, fmt=[form] * len(signal), write_dir=folder, comments=list(comments),
        )  # fmt: skip
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def as_edf(
    signal, *, rate_hz: float = 360.0, names=("ECG II", "ECG V1"), unit: str = "mV"
) -> bytes:
    """An EDF+ file that names a person."""
    import datetime as dt

    import edfio

    patient = edfio.Patient(code="MRN-77", name="Roe_Jane", birthdate=dt.date(1960, 5, 4))
    signals = [
        edfio.EdfSignal(row, rate_hz, label=name, physical_dimension=unit)
        for row, name in zip(signal, names, strict=False)
    ]
    file = edfio.Edf(
        signals, patient=patient, starttime=dt.time(9, 30), data_record_duration=1.0,
        recording=edfio.Recording(startdate=dt.date(2024, 2, 3)),
    )  # fmt: skip
    return file.to_bytes()


def as_dicom(signal, *, rate_hz: float = 500.0, names=("Lead II", "Lead V1")) -> bytes:
    """A DICOM electrocardiogram in microvolts that names a person."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    group = Dataset()
    group.NumberOfWaveformChannels = len(signal)
    group.NumberOfWaveformSamples = signal.shape[1]
    group.SamplingFrequency = rate_hz
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.WaveformOriginality = "ORIGINAL"
    channels = []
    for name in names[: len(signal)]:
        source, unit, channel = Dataset(), Dataset(), Dataset()
        source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "2:2", "MDC", name
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
        channel.ChannelSourceSequence = [source]
        channel.ChannelSensitivityUnitsSequence = [unit]
        channel.ChannelSensitivity = 2.5
        channel.ChannelSensitivityCorrectionFactor = 1
        channel.ChannelBaseline = 0
        channel.WaveformBitsStored = 16
        channels.append(channel)
    group.ChannelDefinitionSequence = channels
    group.WaveformData = np.round(signal.T * 1000 / 2.5).astype("<i2").tobytes()
    file = Dataset()
    file.PatientName, file.PatientID, file.PatientBirthDate = "Roe^Jane", "MRN-77", "19600504"
    file.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    file.SOPInstanceUID = generate_uid()
    file.Modality = "ECG"
    file.AcquisitionDateTime = "20240203093000"
    file.WaveformSequence = [group]
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID
    out = io.BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()


def as_csv(signal, *, rate_hz: float = 360.0, mark: str = ",", decimal: str = ".") -> bytes:
    """A table with a column of time in seconds, and units in the head."""
    lines = [mark.join(["time (s)", "II (mV)", "V1 (mV)"][: len(signal) + 1])]
    for place, row in enumerate(signal.T):
        cells = [f"{place / rate_hz:.6f}", *(f"{value:.4f}" for value in row)]
        lines.append(mark.join(cells).replace(".", decimal))
    return "\n".join(lines).encode()


_CODES = {symbol: code for code, symbol in enumerate(" NLRaVFJASEj/Q~") if symbol != " "} | {
    "f": 38, "[": 32, "!": 31, "]": 33,
}  # fmt: skip


def annotated(name: str, *, symbols: str, every_s: float = 0.8) -> dict[str, bytes]:
    """A record of drawn beats, one for each symbol, and its annotations."""
    beats_s = 0.5 + every_s * np.arange(len(symbols))
    signal = trace(length_s=float(beats_s[-1]) + 1.0, beats_s=beats_s)
    files = {
        key.replace("rec", name): data.replace(b"rec", name.encode())
        for key, data in as_wfdb(signal).items()
        if not key.endswith(".dat")
    }
    files[f"{name}.dat"] = as_wfdb(signal)["rec.dat"]
    words, before = [], 0
    for moment, symbol in zip(beats_s, symbols, strict=True):
        sample = round(float(moment) * 360)
        words.append(_CODES[symbol] << 10 | sample - before)
        before = sample
    files[f"{name}.atr"] = np.array([*words, 0], "<u2").tobytes()
    return files
