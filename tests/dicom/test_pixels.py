"""The picture in a DICOM file comes out as a viewer shows it, and nothing else of the file."""

from __future__ import annotations

import sys
import tracemalloc
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from firstread.dicom.pixels import header_of, is_dicom, png_of, shown_of
from firstread.domain.errors import UnreadableSample
from tests.dicom_for_tests import dicom
from tests.images_for_tests import save

pytest.importorskip("pydicom")


def shown(data: bytes, *, frame: int = 0) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png_of(data, frame=frame))))


RAMP = np.arange(0, 256, dtype=np.uint8).reshape(16, 16)
MADE_BEFORE = dicom(RAMP)


def test_eight_bits_without_a_window_stay_as_they_are():
    assert np.array_equal(shown(dicom(RAMP)), RAMP)


def test_monochrome_1_is_inverted():
    assert np.array_equal(shown(dicom(RAMP, PhotometricInterpretation="MONOCHROME1")), 255 - RAMP)


def test_a_window_is_applied_to_rescaled_values_as_the_standard_says():
    units = np.array([[-1024, -160, 40, 240, 3000]], dtype=np.int16)
    tags = {"RescaleSlope": 1, "RescaleIntercept": 0, "WindowCenter": 40, "WindowWidth": 400}
    assert shown(dicom(units, **tags)).tolist() == [[0, 0, 128, 255, 255]]
    stored = (units + 1024).astype(np.uint16)
    assert shown(dicom(stored, **{**tags, "RescaleIntercept": -1024})).tolist()[0] == [
        0, 0, 128, 255, 255,
    ]  # fmt: skip


def test_of_several_windows_the_first_counts():
    units = np.array([[0, 100]], dtype=np.int16)
    data = dicom(units, WindowCenter=[50, 900], WindowWidth=[101, 10])
    assert shown(data).tolist() == [[1, 255]]


@pytest.mark.parametrize(
    ("function", "expected"), [("SIGMOID", [5, 128, 250]), ("LINEAR_EXACT", [0, 128, 255])]
)
def test_windows_of_other_shapes_are_applied(function, expected):
    units = np.array([[0, 100, 200]], dtype=np.int16)
    data = dicom(units, WindowCenter=100, WindowWidth=100 * 2, VOILUTFunction=function)
    assert np.abs(shown(data)[0].astype(int) - expected).max() <= 1 + 30 * (function == "SIGMOID")


def test_deep_pixels_without_a_window_are_stretched():
    assert shown(dicom(np.array([[100, 600, 1100]], dtype=np.uint16))).tolist() == [[0, 128, 255]]


def test_colours_and_frames_come_out():
    colours = np.random.default_rng(1).integers(0, 255, (3, 8, 8, 3), dtype=np.uint8)
    data = dicom(colours)
    assert header_of(data).frames == 3
    assert np.array_equal(shown(data, frame=2), colours[2])


def test_the_identifier_of_the_patient_is_known_and_the_name_is_nowhere():
    data = dicom(RAMP)
    header = header_of(data)
    assert (header.patient, header.frames, header.width_px, header.height_px) == ("P7", 1, 16, 16)
    assert is_dicom(data)
    assert b"Doe" not in png_of(data)


def test_a_presentation_that_inverts_is_inverted_once():
    for tags in (
        {"PresentationLUTShape": "INVERSE"},
        {"PresentationLUTShape": "INVERSE", "PhotometricInterpretation": "MONOCHROME1"},
        {"PresentationLUTShape": "IDENTITY", "PhotometricInterpretation": "MONOCHROME1"},
    ):
        assert np.array_equal(shown(dicom(RAMP, **tags)), 255 - RAMP)
    assert np.array_equal(shown(dicom(RAMP, PresentationLUTShape="IDENTITY")), RAMP)
    both = dicom(RAMP, PresentationLUTShape="IDENTITY", PhotometricInterpretation="MONOCHROME1")
    assert "MONOCHROME1 and a presentation of IDENTITY" in shown_of(both).notes[0]


@pytest.mark.parametrize("meaning", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("window", [{}, {"WindowCenter": 500, "WindowWidth": 1000}])
def test_padding_is_black_and_stretches_nothing(meaning, window):
    units = np.array([[-2000, -2000, 0, 500, 1000]], dtype=np.int16)
    plain = dicom(units[:, 2:], PhotometricInterpretation=meaning, **window)
    tags = {"PixelPaddingValue": -2000, "PhotometricInterpretation": meaning, **window}
    assert shown(dicom(units, **tags)).tolist()[0] == [0, 0, *shown(plain).tolist()[0]]
    units[0, 0] = -1900
    ranged = dicom(units, PixelPaddingRangeLimit=-1900, **tags)
    assert shown(ranged).tolist()[0] == [0, 0, *shown(plain).tolist()[0]]


def groups(**tags):
    """One functional group with what a frame says of its window and its rescaling."""
    from pydicom.dataset import Dataset

    group = Dataset()
    for sequence, names in (
        ("FrameVOILUTSequence", ("WindowCenter", "WindowWidth", "VOILUTFunction")),
        ("PixelValueTransformationSequence", ("RescaleSlope", "RescaleIntercept")),
    ):
        item = Dataset()
        for name in names:
            if name in tags:
                setattr(item, name, tags[name])
        if len(item):
            setattr(group, sequence, [item])
    return group


def test_windows_and_rescaling_in_functional_groups_are_applied():
    frames = np.array([[[0, 50, 100, 150]]] * 2, dtype=np.uint16)
    shared = groups(RescaleSlope=2, RescaleIntercept=-100)
    each = [groups(WindowCenter=0.5, WindowWidth=201), groups(WindowCenter=100.5, WindowWidth=201)]
    data = dicom(
        frames,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=each,
    )
    assert shown(data, frame=0).tolist() == [[0, 128, 255, 255]]
    assert shown(data, frame=1).tolist() == [[0, 0, 128, 255]]
    window = groups(WindowCenter=50.5, WindowWidth=101, VOILUTFunction="LINEAR")
    alone = dicom(frames, SharedFunctionalGroupsSequence=[window])
    assert shown(alone, frame=1).tolist() == [[0, 128, 255, 255]]


def test_frames_without_a_window_are_stretched_alike():
    frames = np.array([[[0, 250]], [[500, 1000]]], dtype=np.uint16)
    data = dicom(frames)
    assert shown(data, frame=0).tolist() == [[0, 64]]
    assert shown(data, frame=1).tolist() == [[128, 255]]
    assert shown_of(data).notes == (
        "Frame 1 of 2 was read.",
        "It names no window: its values were stretched from 0 to 1000.",
    )


def test_a_bright_pixel_does_not_darken_what_has_no_window():
    units = np.linspace(0, 1000, 2500).astype(np.uint16).reshape(50, 50)
    plain = shown(dicom(units)).astype(int)
    units[7, 7] = 60_000
    hot = shown(dicom(units)).astype(int)
    hot[7, 7] = plain[7, 7]
    assert np.abs(hot - plain).max() <= 1


def test_a_file_without_its_preamble_is_opened():
    whole = dicom(RAMP, Modality="OT")
    assert is_dicom(whole[132:])
    assert np.array_equal(shown(whole[132:]), RAMP)
    meta = int.from_bytes(whole[140:144], "little")
    bare = whole[144 + meta :]
    assert is_dicom(bare)
    assert np.array_equal(shown(bare), RAMP)


def test_a_window_with_a_decimal_comma_is_understood():
    units = np.array([[0, 100, 200]], dtype=np.int16)
    data = dicom(units, WindowCenter="100.5", WindowWidth="201.0", RescaleSlope="1.0")
    data = data.replace(b"100.5 ", b"100,5 ").replace(b"201.0 ", b"201,0 ")
    assert b"100,5" in data
    assert shown(data).tolist() == [[0, 128, 255]]


def test_of_several_windows_it_is_told_which_was_used():
    data = dicom(np.array([[0, 100]], np.int16), WindowCenter=[50, 900], WindowWidth=[101, 10])
    assert shown_of(data).notes == ("Window 1 of 2 was used.",)


def deflated(pixels):
    from pydicom import dcmread
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    file = dcmread(BytesIO(dicom(pixels)))
    file.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    out = BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_a_deflated_file_is_inflated_as_far_as_a_picture_reaches():
    assert np.array_equal(shown(deflated(RAMP)), RAMP)
    bomb = deflated(np.zeros((9000, 9000), dtype=np.uint8))
    tracemalloc.start()
    with pytest.raises(UnreadableSample, match="unpacks to more than 20 times its size"):
        png_of(bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 120_000_000


def encapsulated(frame: bytes, syntax: str, **tags):
    from pydicom import dcmread
    from pydicom.encaps import encapsulate

    file = dcmread(BytesIO(dicom(RAMP, **tags)))
    file.file_meta.TransferSyntaxUID = syntax
    file.PixelData = encapsulate([frame])
    file["PixelData"].is_undefined_length = True
    out = BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_a_packing_that_nothing_here_opens_is_named():
    data = encapsulated(b"\xff\xd8\xff\xf7", "1.2.840.10008.1.2.4.80")
    with pytest.raises(UnreadableSample, match="packed as JPEG-LS Lossless"):
        png_of(data)


def test_a_jpeg_in_a_dicom_file_is_opened_unless_it_was_made_to_burn():
    from firstread.imaging import decode

    baseline = "1.2.840.10008.1.2.4.50"
    packed = save(Image.fromarray(RAMP), "JPEG", quality=100)
    found = np.asarray(decode(encapsulated(packed, baseline)))[..., 0].astype(int)
    assert np.abs(found - RAMP).max() <= 3
    scan = packed[packed.rfind(b"\xff\xda") : -2]
    with pytest.raises(UnreadableSample, match="far more often"):
        decode(encapsulated(packed[:-2] + scan * 200 + b"\xff\xd9", baseline))
    with pytest.raises(UnreadableSample, match="too few for anything"):
        decode(encapsulated(packed, baseline, Rows=9000, Columns=9000))


def test_without_pydicom_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(UnreadableSample, match=r"pip install 'firstread\[dicom\]'"):
        png_of(MADE_BEFORE)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a DICOM file"),
        (bytes(128) + b"DICM", "no picture|damaged"),
        (bytes(128) + b"DICM" + bytes(range(256)) * 4, "no picture|damaged"),
        (dicom(RAMP)[:-100], "damaged"),
        (dicom(RAMP, Rows=60_000, Columns=60_000), "at most 100 million"),
        (dicom(RAMP, Rows=None), "holds no picture"),
        (dicom(RAMP, PixelData=None), "damaged"),
    ],
)
def test_damaged_and_hostile_files_are_refused_in_a_sentence(data, said):
    with pytest.raises(UnreadableSample, match=said):
        png_of(data)


def test_a_frame_that_is_not_there_is_refused():
    with pytest.raises(UnreadableSample, match="holds 1 frames"):
        png_of(dicom(RAMP), frame=1)
