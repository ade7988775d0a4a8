"""A recording opens in each of its forms, and what cannot be opened says why."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import zipfile

import numpy as np
import pytest

from firstread.domain.errors import UnreadableSample
from firstread.recordings import is_recording, join_pair, open_recording
from tests.recordings_for_tests import as_csv, as_dicom, as_edf, as_wfdb, trace, wfdb_library

SIGNAL = trace()
FORMS = {
    "wfdb": lambda: join_pair(as_wfdb(SIGNAL)),
    "csv": lambda: as_csv(SIGNAL),
    "edf": lambda: as_edf(SIGNAL),
    "dicom": lambda: as_dicom(SIGNAL, rate_hz=360.0),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_voltages_come_out_of_every_form(form):
    data = FORMS[form]()
    assert is_recording(data)
    recording = open_recording(data)
    assert recording.signal.dtype == np.float32
    assert recording.signal.shape == SIGNAL.shape
    assert np.abs(recording.signal - SIGNAL).max() < 0.006
    assert recording.rate_hz == 360.0
    assert recording.leads[0].endswith("II")
    assert recording.leads[1] == "V1"
    assert recording.length_s == 20.0


@pytest.mark.parametrize("form", ["edf", "dicom"])
def test_when_it_began_is_kept_and_whose_it_is_not(form):
    recording = open_recording(FORMS[form]())
    assert recording.started_at == dt.datetime(2024, 2, 3, 9, 30)  # noqa: DTZ001  the device's own clock
    assert "Roe" not in repr(recording)
    assert "MRN" not in repr(recording)


def test_a_lead_called_after_a_person_loses_its_name():
    data = join_pair(as_wfdb(SIGNAL, names=("Jane Roe", "V1"), comments=["Jane Roe 1960"]))
    assert open_recording(data).leads == ("lead 1", "V1")


@pytest.mark.parametrize("form", ["16", "24", "32", "61", "80", "160", "212", "311"])
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_each_format_of_samples_reads_as_the_library_wfdb_reads_it(form, tmp_path):
    wfdb = wfdb_library()
    rng = np.random.default_rng(int(form))
    bits = {"80": 8, "212": 12, "311": 10}.get(form, 16)
    digital = rng.integers(-(1 << (bits - 1)) + 1, 1 << (bits - 1), (601, 3))
    written = "16" if form in {"61", "160", "311"} else form
    wfdb.wrsamp(
        "r", fs=250, units=["mV"] * 3, sig_name=["I", "II", "V5"], d_signal=digital,
        fmt=[written] * 3, adc_gain=[200.0] * 3, baseline=[0] * 3, write_dir=str(tmp_path),
    )  # fmt: skip
    if form != written:
        _rewrite(tmp_path, digital, form=form)
    theirs = wfdb.rdrecord(str(tmp_path / "r")).p_signal
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ours = open_recording(join_pair(files)).signal
    assert np.abs(ours.T - theirs).max() < 1e-4


def _rewrite(folder, digital, *, form):
    """The library does not write these forms, so they are packed here."""
    flat = digital.reshape(-1).astype(np.int64)
    if form == "61":
        data = flat.astype(">i2").tobytes()
    elif form == "160":
        data = (flat + 32768).astype("<u2").tobytes()
    else:
        words = np.pad(flat & 0x3FF, (0, -len(flat) % 3)).reshape(-1, 3)
        data = (words[:, 0] | words[:, 1] << 10 | words[:, 2] << 20).astype("<u4").tobytes()
    (folder / "r.dat").write_bytes(data)
    header = folder / "r.hea"
    header.write_text(header.read_text().replace("r.dat 16 ", f"r.dat {form} "))


def test_leads_in_files_of_their_own_and_with_several_samples_a_frame_are_read():
    one, two = np.arange(0, 400, dtype="<i2"), np.repeat(np.arange(100, dtype="<i2"), 2)
    header = b"r 2 100 100\na.dat 16x4 100 16 0\nb.dat 16x2 100 16 0\n"
    files = {"r.hea": header, "a.dat": one.tobytes(), "b.dat": two.tobytes()}
    signal = open_recording(join_pair(files)).signal
    assert signal.shape == (2, 100)
    assert signal[0, :2].tolist() == pytest.approx([0.015, 0.055])
    assert signal[1, :3].tolist() == pytest.approx([0.0, 0.01, 0.02])


def test_the_same_pair_is_the_same_sample_whatever_its_order():
    files = as_wfdb(SIGNAL)
    one = join_pair(files)
    other = join_pair(dict(reversed(files.items())))
    assert hashlib.sha256(one).digest() == hashlib.sha256(other).digest()


def test_a_pair_that_was_renamed_still_opens():
    files = as_wfdb(SIGNAL)
    renamed = {"x.hea": files["rec.hea"], "x.dat": files["rec.dat"]}
    assert open_recording(join_pair(renamed)).signal.shape == SIGNAL.shape


def test_a_csv_with_semicolons_and_decimal_commas_is_read():
    recording = open_recording(as_csv(SIGNAL, mark=";", decimal=","))
    assert np.abs(recording.signal - SIGNAL).max() < 1e-3


def test_a_csv_in_microvolts_with_its_rate_in_the_head_is_read():
    rows = "\n".join(f"{1000 * a:.0f},{1000 * b:.0f}" for a, b in SIGNAL.T)
    text = f"# Sampling rate: 360 Hz\nII (uV),V1 (uV)\n{rows}\n"
    recording = open_recording(text.encode())
    assert recording.rate_hz == 360.0
    assert recording.leads == ("II", "V1")
    assert np.abs(recording.signal - SIGNAL).max() < 1e-3


def test_a_csv_with_a_line_of_units_and_times_of_the_clock_is_read():
    rows = "\n".join(
        f"'0:{t // 21600:02d}:{t / 360 % 60:06.3f}',{a:.3f}" for t, a in enumerate(SIGNAL[0])
    )
    text = f"'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n{rows}\n"
    recording = open_recording(text.encode())
    assert recording.rate_hz == 360
    assert recording.leads == ("MLII",)


def test_empty_cells_are_bridged_and_told():
    lines = as_csv(SIGNAL).decode().split("\n")
    for row in range(101, 201):
        time, _, other = lines[row].split(",")
        lines[row] = f"{time},,{other}"
    recording = open_recording("\n".join(lines).encode())
    assert np.isfinite(recording.signal).all()
    assert recording.missing == (pytest.approx(100 / 7200), 0.0)


def test_samples_that_a_device_could_not_measure_are_bridged():
    steps = np.array([0, 10, -2048 * 16, 30, 40], "<i2")
    files = {"r.hea": b"r 1 100 5\nr.dat 16 10 16 0\n", "r.dat": steps.tobytes()}
    recording = open_recording(join_pair(files))
    assert recording.signal[0].tolist() == [0, 1, 2, 3, 4]
    assert recording.missing == (0.2,)


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return out.getvalue()


HEADER = b"r 2 360 7200\nr.dat 212 200 11 1024 0 0 0 II\nr.dat 212 200 11 1024 0 0 0 V1\n"
HOSTILE = {
    "nothing": (b"", "not a recording"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "not a recording"),
    "a text": (b"Dear colleague,\nplease read this.\n", "no CSV file"),
    "a header alone": (HEADER, "together with what it names: r.dat"),
    "an empty zip": (zipped(), "not a recording"),
    "no samples": (zipped(r_hea=HEADER), "not there"),
    "cut short": (zipped(r_hea=HEADER, r_dat=bytes(100)), "cut short"),
    "a thousand million": (
        zipped(r_hea=HEADER.replace(b"7200", b"1000000000"), r_dat=bytes(100)), "promises",
    ),
    "many leads": (zipped(r_hea=b"r 100000 360 10\n", r_dat=bytes(9)), "100000 leads"),
    "no leads": (zipped(r_hea=b"r 0 360 10\n", r_dat=bytes(9)), "0 leads"),
    "segments": (zipped(r_hea=b"r/3 2 360 10\na 5\nb 5\n", r_dat=bytes(9)), "segments"),
    "an odd format": (zipped(r_hea=b"r 1 360 3\nr.dat 999 200\n", r_dat=bytes(9)), "format 999"),
    "a gain of words": (zipped(r_hea=b"r 1 360 3\nr.dat 16 abc\n", r_dat=bytes(9)), "header"),
    "an odd unit": (zipped(r_hea=b"r 1 360 3\nr.dat 16 200/mmHg\n", r_dat=bytes(9)), "mmHg"),
    "no rate": (zipped(r_hea=b"r 1 0 3\nr.dat 16 200\n", r_dat=bytes(9)), "samples"),
    "a rate of 1": (zipped(r_hea=b"r 1 1 3\nr.dat 16 200\n", r_dat=bytes(9)), "samples a second"),
    "a wrong checksum": (
        zipped(r_hea=b"r 1 360 3\nr.dat 16 200 16 0 0 77\n", r_dat=bytes(9)), "checksum",
    ),
    "two recordings": (zipped(a_hea=HEADER, b_hea=HEADER, r_dat=bytes(9)), "several"),
    "a zip in a zip": (zipped(a_csv=zipped(b_csv=b"1,2")), "no recording"),
    "a damaged zip": (zipped(r_hea=HEADER)[:-30], "damaged"),
    "no time": (b"II,V1\n0.1,0.2\n0.2,0.3\n0.1,0.2\n", "no time"),
    "time that stands": (b"time,II\n1,0.1\n1,0.2\n1,0.1\n", "does not rise"),
    "time with a hole": (
        b"time,II\n" + b"".join(b"%.2f,0.1\n" % (t / 100 + 9 * (t > 300)) for t in range(1000)),
        "evenly",
    ),
    "words in a row": (b"time,II\n0,0.1\n0.01,ab\n0.02,0.1\n", "not made of numbers"),
    "a row cut short": (b"time,II,V1\n0,0.1,0.1\n0.01,0.1\n0.02,0.1,0.1\n", "cut short"),
    "counts without a unit": (b"time,II\n0,995\n0.01,1010\n0.02,1011\n", "unit"),
    "degrees": (b"time,II (C)\n0,9\n0.01,10\n0.02,11\n", "no voltage"),
    "an EDF of a header alone": (as_edf(SIGNAL)[:400], "EDF"),
    "an EDF cut short": (as_edf(SIGNAL)[:-1000], "cut short"),
    "an EDF of the brain": (as_edf(SIGNAL, names=("EEG C3", "EEG C4"), unit="K"), "no electro"),
    "a DICOM cut short": (as_dicom(SIGNAL)[:700], "DICOM"),
    "a DICOM of nothing": (bytes(128) + b"DICM", "DICOM"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cannot_be_opened_is_refused_with_a_sentence(what):
    data, said = HOSTILE[what]
    with pytest.raises(UnreadableSample, match=said) as refusal:
        open_recording(data)
    assert str(refusal.value).endswith((".", "'firstread[dicom]'"))
    assert "Jane" not in str(refusal.value)


@pytest.mark.parametrize("leap_s", [0.3, 8.0, -0.2])
def test_a_gap_in_the_times_of_a_csv_does_not_become_another_rate(leap_s):
    times = np.arange(3600) / 360
    times[1000:] += leap_s
    rows = "\n".join(f"{time:.5f},{np.sin(time):.4f}" for time in times)
    with pytest.raises(UnreadableSample, match=r"evenly in time|does not rise"):
        open_recording(f"time,II\n{rows}\n".encode())


def test_times_that_are_printed_coarsely_are_even_all_the_same():
    rows = "\n".join(f"{n / 360:.2f},{np.sin(n / 50):.4f}" for n in range(3600))
    assert open_recording(f"time,II\n{rows}\n".encode()).rate_hz == 360


_DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("record", "lead"),
    [
        (f"a {_DIGITS} 360 3600", "a.dat 16 200"),
        (f"a 1 360 {_DIGITS}", "a.dat 16 200"),
        ("a 1 360 3600", f"a.dat 16+{_DIGITS} 200"),
        ("a 1 360 3600", f"a.dat 16 200({'9' * 400})/mV"),
        ("a 1 360 3600", f"a.dat 16 200 11 0 0 {_DIGITS} 0 II"),
        ("a 1 360 3600", "a.dat 16 1e-320/mV"),
    ],
)
def test_a_header_with_a_number_of_no_device_is_refused(record, lead):
    files = {"a.hea": f"{record}\n{lead}\n".encode(), "a.dat": bytes(7200)}
    with pytest.raises(UnreadableSample, match=r"no WFDB header that can be read: .* Export"):
        open_recording(join_pair(files))


def test_a_date_that_no_calendar_has_is_left_out():
    header = b"a 1 360 3600 10:00:00 01/01/99999999999999\na.dat 16 200\n"
    found = open_recording(join_pair({"a.hea": header, "a.dat": bytes(7200)}))
    assert found.started_at is None


def test_a_zip_packed_as_lzma_that_is_damaged_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.dat", bytes(range(256)) * 16)
    data = bytearray(out.getvalue())
    data[50:90] = b"\xff" * 40
    with pytest.raises(UnreadableSample, match="The zip file is damaged"):
        open_recording(bytes(data))


@pytest.mark.parametrize(("at", "value"), [(104, b"abc"), (120, b"abc"), (112, b"1e99")])
def test_an_edf_whose_limits_say_nothing_is_refused(at, value):
    data = bytearray(as_edf(trace(leads=1), names=("II",)))
    place = 256 + at * int(data[252:256])  # each field stands for all signals, one after the other
    data[place : place + 8] = value.ljust(8)
    with pytest.raises(UnreadableSample, match="EDF file"):
        open_recording(bytes(data))


def test_a_zip_that_unpacks_to_more_than_a_recording_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}.dat", bytes(100_000_000))
    with pytest.raises(UnreadableSample, match="more than one recording"):
        open_recording(out.getvalue())


@pytest.mark.parametrize("form", FORMS)
def test_damage_anywhere_is_a_sentence_or_a_recording_but_never_a_crash(form):
    data = FORMS[form]()
    rng = np.random.default_rng(3)
    for _ in range(60):
        body = bytearray(data)
        for place in rng.integers(0, min(len(body), 3000), 3):
            body[place] = rng.integers(0, 256)
        body = body[: rng.integers(1, len(body))] if rng.random() < 0.3 else body
        try:
            recording = open_recording(bytes(body))
        except UnreadableSample as refusal:
            assert str(refusal)  # noqa: PT017  either ending is fine
        else:
            assert np.isfinite(recording.signal).all()


def test_a_zip_that_was_made_to_fill_memory_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.hea", "a 1 360 50000000\na.dat 16 200 16 0 0 0 0 II\n")
        packed.writestr("a.dat", bytes(100_000_000))
    with pytest.raises(UnreadableSample, match="as no recording of a heart does"):
        open_recording(out.getvalue())
