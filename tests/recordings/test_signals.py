"""What lies beside the leads in a file is left out by name, in every form."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from openpyxl import Workbook

from firstread.domain.errors import UnreadableSample
from firstread.recordings import join_pair, open_recording
from firstread.recordings.signals import Signal, leads_among, other_name
from firstread.recordings.units import factor_of, is_lead
from tests.recordings_for_tests import as_csv, as_dicom, as_edf, as_wfdb, trace, wfdb_library

SIGNAL = trace()
LEAD = SIGNAL[0]
WAVE = np.sin(np.arange(7200) / 50)


def record(signals: list[tuple[str, str, np.ndarray]], *, form: str = "16") -> bytes:
    """A WFDB record of signals with their gain and unit, and their name."""
    rows = [np.rint(200 * values).astype("<i2") for _, _, values in signals]
    lines = [f"r {len(rows)} 360 {len(rows[0])}"]
    for (gain, name, _), row in zip(signals, rows, strict=True):
        total = (int(row.astype(int).sum()) + 32768) % 65536 - 32768
        lines.append(f"r.dat {form} {gain} 16 0 {row[0]} {total} 0 {name}")
    return join_pair(
        {
            "r.hea": "\n".join([*lines, ""]).encode("latin-1"),
            "r.dat": np.stack(rows, 1).tobytes(),
        }
    )


def test_a_pressure_beside_a_lead_is_left_out_by_name():
    found = open_recording(record([("200/mV", "II", LEAD), ("20/mmHg", "ABP", WAVE)]))
    assert found.leads == ("II",)
    assert np.abs(found.signal[0] - LEAD).max() < 0.01
    assert found.notes == ("ABP is no ECG lead and was left out.",)


def test_what_is_no_lead_is_left_out_also_where_it_claims_to_be_a_voltage():
    found = open_recording(
        record([("200/mV", "PLETH", WAVE), ("200/mV", "RESP", WAVE), ("200/mV", "II", LEAD)])
    )
    assert found.leads == ("II",)
    assert np.abs(found.signal[0] - LEAD).max() < 0.01
    assert found.notes == ("PLETH and RESP are no ECG leads and were left out.",)


def test_a_file_without_any_lead_is_refused_with_what_it_holds():
    with pytest.raises(UnreadableSample, match="no electrocardiogram: PLETH is no ECG lead"):
        open_recording(record([("200/mV", "PLETH", WAVE)]))


def test_a_lead_in_no_voltage_is_refused_and_its_unit_named():
    with pytest.raises(UnreadableSample, match="in 'ADU', which is no voltage"):
        open_recording(record([("200/ADU", "II", LEAD)]))


def test_one_lead_in_no_voltage_beside_others_is_left_out_and_told():
    found = open_recording(record([("200/mV", "II", LEAD), ("200/ADU", "V1", LEAD)]))
    assert found.leads == ("II",)
    assert found.notes == ("A signal in 'ADU', which is no voltage, was left out.",)


def test_a_name_that_is_not_known_stays_out_of_what_is_told():
    found = open_recording(record([("200/mV", "II", LEAD), ("200/mmHg", "JaneRoe", WAVE)]))
    assert "Jane" not in repr(found.notes)
    assert found.notes == ("A signal in 'mmHg', which is no voltage, was left out.",)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("ABP", "ABP"), ("Pleth L", "PLETH"), ("RESP (sum)", "RESP"), ("acc_x", "ACC"),
        ("SpO2", "SPO2"), ("Thorax", "THORAX"), ("EEG Fpz-Cz", "EEG"), ("C3-A2", "EEG"),
        ("EMG submental", "EMG"), ("Art. pressure", "ART"), ("CO2", "CO2"), ("HR", "HR"),
        ("Acceleration Z", "ACCELERATION"), ("ECG II", ""), ("MLII", ""), ("chan 1", ""),
        ("V1", ""), ("lead 2", ""), ("ECG1", ""), ("aVR", ""), ("Jane Roe", ""), ("C3", ""),
    ],
)  # fmt: skip
def test_other_signals_are_known_by_their_names(name, word):
    assert other_name(name) == word


@pytest.mark.parametrize(
    "name", ["II", "Lead II", "ECG Lead II", "MDC_ECG_LEAD_II", "EKG_V2", "ecg (II)", "Ableitung I"]
)
def test_a_lead_is_known_however_it_is_spelt(name):
    assert is_lead(name)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("mV", 1.0), ("MV", 1.0), ("millivolts", 1.0), ("uV", 1e-3), ("µV", 1e-3), ("μV", 1e-3),
        ("æV", 1e-3), ("Âµv", 1e-3), ("microVolt", 1e-3), ("(uV)", 1e-3), ("V", 1000.0),
        ("nV", 1e-6), ("volt", 1000.0), ("ADU", None), ("", None), ("mmHg", None), ("kV", None),
    ],
)  # fmt: skip
def test_a_voltage_is_known_however_it_is_spelt(unit, factor):
    assert factor_of(unit) == factor


@pytest.mark.parametrize("sign", [b"\xb5V", b"\xe6V", b"\xc2\xb5V", b"\xce\xbcV", b"uV"])
def test_an_edf_in_microvolts_is_read_in_whatever_alphabet_it_says_so(sign):
    data = as_edf(1000 * SIGNAL, unit="ZZZZZZZZ")
    found = open_recording(data.replace(b"ZZZZZZZZ", sign.ljust(8)))
    assert np.abs(found.signal - SIGNAL).max() < 0.01


def test_an_edf_of_sleep_gives_its_electrocardiogram_and_tells_of_the_rest():
    rows = np.stack([LEAD, WAVE, WAVE, WAVE])
    data = as_edf(rows, names=("ECG", "EEG C3-A2", "EOG left", "Flow"))
    found = open_recording(data)
    assert len(found.leads) == 1
    assert found.notes == ("EEG, EOG and FLOW are no ECG leads and were left out.",)


def test_an_edf_of_the_brain_in_volts_is_no_electrocardiogram():
    with pytest.raises(UnreadableSample, match="no electrocardiogram: EEG is no ECG lead"):
        open_recording(as_edf(SIGNAL, names=("EEG C3", "EEG C4")))


def test_a_dicom_waveform_leaves_out_a_pressure():
    found = open_recording(as_dicom(SIGNAL, names=("Lead II", "Arterial pressure")))
    assert found.leads == ("II",)
    assert "no ECG lead" in found.notes[0]


def test_a_table_leaves_out_the_columns_that_are_no_leads():
    lines = ["time (s),ECG (mV),RESP,HR (bpm)"]
    lines += [
        f"{t / 360:.6f},{v:.3f},{w:.3f},72" for t, (v, w) in enumerate(zip(LEAD, WAVE, strict=True))
    ]
    found = open_recording("\n".join(lines).encode())
    assert found.leads == ("lead 1",)
    assert found.notes == ("RESP and HR are no ECG leads and were left out.",)


def test_accelerations_called_x_y_and_z_are_left_out_where_no_unit_says_otherwise():
    told = [Signal(name=name, unit=None) for name in ("ECG", "x", "y", "z")]
    assert leads_among(told, file="file").places == (0,)
    frank = [Signal(name=name, unit="mV") for name in ("X", "Y", "Z", "II")]
    assert leads_among(frank, file="file").places == (0, 1, 2, 3)


def test_uncalibrated_leads_are_read_as_the_format_says_and_told():
    found = open_recording(record([("0", "II", LEAD)]))
    assert np.abs(found.signal[0] - LEAD).max() < 0.01
    assert "not calibrated" in found.notes[0]


def test_skew_in_a_header_moves_a_lead_as_the_library_wfdb_moves_it(tmp_path):
    data = record([("200/mV", "I", LEAD), ("200/mV", "II", LEAD)])
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    lines = files["r.hea"].decode().splitlines()
    lines[2] = lines[2].replace("r.dat 16 ", "r.dat 16:36 ")
    files["r.hea"] = "\n".join([*lines, ""]).encode()
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    theirs = wfdb_library().rdrecord(str(tmp_path / "r")).p_signal.T
    ours = open_recording(join_pair(files)).signal
    assert np.abs(ours[:, :-36] - theirs[:, :-36]).max() < 1e-4
    assert np.abs(ours[1, :-36] - LEAD[36:]).max() < 0.01


def test_samples_in_a_second_file_are_found_and_never_taken_from_another():
    one, two = (np.rint(200 * row).astype("<i2").tobytes() for row in SIGNAL)
    header = b"r 2 360 7200\na.dat 16 200/mV 16 0\nb.dat 16 200/mV 16 0\n"
    found = open_recording(join_pair({"r.hea": header, "a.dat": one, "b.dat": two}))
    assert np.abs(found.signal - SIGNAL).max() < 0.01
    with pytest.raises(UnreadableSample, match="every file that it names"):
        open_recording(join_pair({"r.hea": header, "b.dat": two}))


def matrix(values: np.ndarray, *, kind: int = 30) -> bytes:
    """A matrix of MATLAB 4, as the challenges of PhysioNet have it: its head is 24 bytes."""
    head = np.array([kind, len(values), values.shape[1], 0, 4], "<i4").tobytes()
    return head + b"val\0" + values.T.astype("<i2").tobytes()


def challenge(rows: np.ndarray) -> bytes:
    sums = [(int(row.sum()) + 32768) % 65536 - 32768 for row in rows.astype(int)]
    lines = [f"A1 {len(rows)} 360 {rows.shape[1]} 12-May-2020 12:33:59"]
    lines += [
        f"A1.mat 16+24 200/mV 16 0 {row[0]:.0f} {total} 0 {name}"
        for row, total, name in zip(rows, sums, ("II", "V1"), strict=False)
    ]
    return "\n".join([*lines, "#Age: 74", ""]).encode()


def test_a_record_of_the_challenges_with_its_samples_in_a_mat_file_is_read():
    rows = np.rint(200 * SIGNAL)
    found = open_recording(join_pair({"A1.hea": challenge(rows), "A1.mat": matrix(rows)}))
    assert found.leads == ("II", "V1")
    assert np.abs(found.signal - SIGNAL).max() < 0.01
    assert (found.started_at.day, found.started_at.hour) == (12, 12)


def test_a_mat_file_of_another_form_is_refused_with_both_sides():
    rows = np.rint(200 * SIGNAL)
    with pytest.raises(UnreadableSample, match=r"2 signals in format 16.*holds 1 in format 16"):
        open_recording(join_pair({"A1.hea": challenge(rows), "A1.mat": matrix(rows[:1])}))
    five = b"MATLAB 5.0 MAT-file".ljust(60000)
    with pytest.raises(UnreadableSample, match="MATLAB 5"):
        open_recording(join_pair({"A1.hea": challenge(rows), "A1.mat": five}))


def segments(*, layout: bool) -> dict[str, bytes]:
    """A record of two segments of 10 s with a hole of 2 s between them."""
    files = {}
    for name, begin in (("s1", 0), ("s2", 3600)):
        part = {
            key.replace("rec", name): body.replace(b"rec", name.encode())
            for key, body in as_wfdb(SIGNAL[:, begin : begin + 3600], form="16").items()
            if key.endswith(".hea")
        }
        part[f"{name}.dat"] = as_wfdb(SIGNAL[:, begin : begin + 3600], form="16")["rec.dat"]
        files |= part
    lines = ["s1 3600", "~ 720", "s2 3600"]
    if layout:
        files["lay.hea"] = b"lay 2 360 0\n~ 0 200/mV 16 0 0 0 0 MLII\n~ 0 200/mV 16 0 0 0 0 V1\n"
        lines.insert(0, "lay 0")
    files["m.hea"] = "\n".join([f"m/{len(lines)} 2 360 7920", *lines, ""]).encode()
    return files


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("layout", [False, True])
def test_segments_in_a_zip_become_one_recording_and_a_hole_is_not_measured(layout):
    found = open_recording(zipped(segments(layout=layout)))
    assert found.signal.shape == (2, 7920)
    assert np.abs(found.signal[:, :3600] - SIGNAL[:, :3600]).max() < 0.01
    assert np.abs(found.signal[:, 4320:] - SIGNAL[:, 3600:]).max() < 0.01
    assert found.silent[0] == pytest.approx(np.array([[3600, 4320]]), abs=60)


def test_a_missing_or_contradicting_segment_is_refused():
    files = segments(layout=False)
    short = {**files, "m.hea": files["m.hea"].replace(b"7920", b"7000")}
    with pytest.raises(UnreadableSample, match=r"promises 7000.*have 7920"):
        open_recording(zipped(short))
    slow = {**files, "s2.hea": files["s2.hea"].replace(b" 360 ", b" 250 ")}
    with pytest.raises(UnreadableSample, match=r"360 samples a second.*says 250"):
        open_recording(zipped(slow))
    del files["s2.hea"]
    with pytest.raises(UnreadableSample, match="segment that the header names is not in the zip"):
        open_recording(zipped(files))


def test_padding_in_a_dicom_waveform_is_not_measured():
    data = open_dicom()
    group = data.WaveformSequence[0]
    raw = np.frombuffer(group.WaveformData, "<i2").copy().reshape(-1, 2)
    raw[1000:2440] = -32768
    group.WaveformData = raw.tobytes()
    group.add_new(0x5400100A, "OW", np.array([-32768], "<i2").tobytes())
    found = open_recording(saved(data))
    assert found.missing == (0.2, 0.2)
    assert found.silent[0] == pytest.approx(np.array([[1000, 2440]]), abs=60)
    assert found.signal.min() > -1.0


def test_a_channel_that_is_not_connected_is_not_measured_and_told():
    data = open_dicom()
    channel = data.WaveformSequence[0].ChannelDefinitionSequence[1]
    channel.ChannelStatus = "DISCONNECTED"
    found = open_recording(saved(data))
    assert found.missing == (0.0, 1.0)
    assert "not connected" in found.notes[0]


def test_of_two_waveforms_that_with_leads_is_read_and_the_other_told():
    data = open_dicom()
    other = open_dicom(np.tile(SIGNAL, 2), names=("Arterial pressure", "Pleth")).WaveformSequence[0]
    data.WaveformSequence.append(other)
    found = open_recording(saved(data))
    assert found.leads == ("II", "V1")
    assert found.notes == ("One other waveform of the file was left out.",)


def open_dicom(signal: np.ndarray = SIGNAL, **more):
    import pydicom

    return pydicom.dcmread(io.BytesIO(as_dicom(signal, rate_hz=360.0, **more)))


def saved(data) -> bytes:
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


FOREIGN = {
    "PDF": b"%PDF-1.7\n",
    "SCP-ECG": b"\x01\x02\x00\x10\x00\x00" + bytes(10) + b"SCPECG" + bytes(100),
    "HL7 aECG": b'<?xml version="1.0"?>\n<AnnotatedECG xmlns="urn:hl7-org:v3">',
    "MUSE": b'<?xml version="1.0"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG>',
    "Philips": '<?xml version="1.0" encoding="UTF-16"?><restingecgdata>'.encode("utf-16"),
    "ISHNE": b"ISHNE1.0" + bytes(500),
    "MATLAB": b"MATLAB 5.0 MAT-file" + bytes(500),
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
}


@pytest.mark.parametrize("form", FOREIGN)
def test_a_form_that_is_not_opened_is_refused_by_name_with_the_way_out(form):
    with pytest.raises(UnreadableSample, match=f"{form}.*EDF, DICOM"):
        open_recording(FOREIGN[form])


def test_a_workbook_with_a_recording_is_refused_by_name():
    made, held = Workbook(), io.BytesIO()
    made.active.append(["time", "II"])
    made.save(held)
    with pytest.raises(UnreadableSample, match=r"a workbook of a spreadsheet.*as CSV"):
        open_recording(held.getvalue())
    with pytest.raises(UnreadableSample, match=r"a workbook of a spreadsheet.*as CSV"):
        open_recording(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))


def test_a_bdf_file_is_read():
    import edfio

    rows = [edfio.BdfSignal(1000 * row, 360, label=name, physical_dimension="uV")
            for row, name in zip(SIGNAL, ("ECG II", "ECG V1"), strict=True)]  # fmt: skip
    found = open_recording(edfio.Bdf(rows).to_bytes())
    assert found.leads == ("II", "V1")
    assert np.abs(found.signal - SIGNAL).max() < 0.01


def test_as_csv_says_its_unit_and_needs_no_note():
    assert open_recording(as_csv(SIGNAL)).notes == ()
