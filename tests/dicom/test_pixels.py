"""The picture in a DICOM file comes out as a viewer shows it, and nothing else of the file."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from firstread.dicom.pixels import header_of, is_dicom, png_of
from firstread.domain.errors import UnreadableSample

pytest.importorskip("pydicom")


def dicom(pixels: np.ndarray, **tags: Any) -> bytes:
    """A DICOM file of one picture, as a modality writes it."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    file.PatientID, file.PatientName = "P7", "Doe^Jane"
    colour = pixels.ndim > 2 and pixels.shape[-1] == 3
    file.Rows, file.Columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    if pixels.ndim - colour == 3:
        file.NumberOfFrames = len(pixels)
    bits = 8 * pixels.dtype.itemsize
    file.BitsAllocated, file.BitsStored, file.HighBit = bits, bits, bits - 1
    file.PixelRepresentation = int(pixels.dtype.kind == "i")
    file.SamplesPerPixel = 3 if colour else 1
    file.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        file.PlanarConfiguration = 0
    file.PixelData = pixels.tobytes() + bytes(pixels.nbytes % 2)
    for name, value in tags.items():
        if value is None:
            delattr(file, name)
        else:
            setattr(file, name, value)
    out = BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()


def shown(data: bytes, *, frame: int = 0) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png_of(data, frame=frame))))


RAMP = np.arange(0, 256, dtype=np.uint8).reshape(16, 16)


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
