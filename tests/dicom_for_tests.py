"""DICOM files as a modality writes them, of numbers or of drawn cells."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np

from tests.images_for_tests import cell

NAME = b"Doe^Jane"


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


def cell_dicom(colour: str = "red", *, seed: int = 1, **tags: Any) -> bytes:
    """A drawn cell in colours, as a microscope sends it."""
    return dicom(np.asarray(cell(colour, seed=seed)), **tags)
