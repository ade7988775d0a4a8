"""The picture in a DICOM file, windowed as it says, as a PNG that holds nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.dicom.damage import DAMAGED
from firstread.domain.errors import BadConfiguration, UnreadableSample
from firstread.imaging import MAX_PIXELS

_MARK_AT = 128


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a DICOM file says of its picture, and whose it is (the identifier alone, no name)."""

    patient: str
    frames: int
    width_px: int
    height_px: int


def is_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file does: 128 bytes of anything, then DICM."""
    return data[_MARK_AT : _MARK_AT + 4] == b"DICM"


def header_of(data: bytes) -> Header:
    """What a DICOM file says, without unpacking its pixels.

    Raises UnreadableSample where it cannot be opened or holds no picture.
    """
    return _header(_opened(data, pixels=False))


def png_of(data: bytes, *, frame: int = 0) -> bytes:
    """One frame as an 8-bit PNG, grey or RGB, as a viewer would show it at first.

    The rescale and the first window or table of values of the file are applied (DICOM PS3.3,
    C.11.1 and C.11.2). Without a window 8-bit pixels stay as they are, and deeper ones are
    stretched from the darkest to the brightest. MONOCHROME1, where 0 is white, is inverted.
    Raises UnreadableSample where that cannot be done.
    """
    dataset = _opened(data, pixels=True)
    header = _header(dataset)
    if header.width_px * header.height_px > MAX_PIXELS:
        raise UnreadableSample(
            f"This DICOM file claims {header.width_px} x {header.height_px} pixels; at most "
            f"{MAX_PIXELS / 1e6:g} million are opened. Send a part of it."
        )
    if not 0 <= frame < header.frames:
        raise UnreadableSample(
            f"This DICOM file holds {header.frames} frames. Name one of them, counted from 0."
        )
    try:
        shown = _shown(dataset, frame=frame)
        out = BytesIO()
        Image.fromarray(np.ascontiguousarray(shown)).save(out, format="PNG", compress_level=1)
    except DAMAGED as why:
        raise UnreadableSample(
            "The pixels of this DICOM file are damaged, or packed in a way that is not read here. "
            "Export it again without compression."
        ) from why
    return out.getvalue()


def _opened(data: bytes, *, pixels: bool) -> Any:
    try:
        from pydicom import config, dcmread
    except ModuleNotFoundError as why:
        raise BadConfiguration(
            "DICOM files need the extra 'dicom'. Install it: pip install 'firstread[dicom]'"
        ) from why
    # Odd values elsewhere in the file do not make its picture unreadable, nor worth a warning.
    config.settings.reading_validation_mode = config.IGNORE
    if not is_dicom(data):
        raise UnreadableSample("This is not a DICOM file. Export it again as DICOM.")
    try:
        return dcmread(BytesIO(data), stop_before_pixels=not pixels)
    except DAMAGED as why:
        raise UnreadableSample("This DICOM file is damaged. Export it again.") from why


def _header(dataset: Any) -> Header:
    try:
        return Header(
            patient=str(dataset.get("PatientID") or "").strip(),
            frames=max(1, int(dataset.get("NumberOfFrames") or 1)),
            width_px=int(dataset.Columns),
            height_px=int(dataset.Rows),
        )
    except DAMAGED as why:
        raise UnreadableSample(
            "This DICOM file holds no picture. Send the one with the picture, not its directory "
            "or report."
        ) from why


def _shown(dataset: Any, *, frame: int) -> NDArray[np.uint8]:
    tools = _pixel_tools()
    pixels = tools.pixel_array(dataset, index=frame)
    meaning = str(dataset.get("PhotometricInterpretation", ""))
    if meaning == "PALETTE COLOR":
        pixels = tools.apply_color_lut(pixels, dataset)
        return _eight_bits(pixels, bits=8 * pixels.dtype.itemsize)
    if pixels.ndim == 3:
        return _eight_bits(pixels[..., :3], bits=int(dataset.BitsStored))
    values = np.asarray(tools.apply_modality_lut(pixels, dataset))
    grey = _windowed(values, dataset)
    return 255 - grey if meaning == "MONOCHROME1" else grey


def _pixel_tools() -> Any:
    from pydicom import pixels

    return pixels


def _eight_bits(pixels: NDArray[Any], *, bits: int) -> NDArray[np.uint8]:
    deep = np.asarray(pixels, dtype=np.float32)
    return np.asarray((deep * (255.0 / (2**bits - 1)) + 0.5).clip(0, 255), dtype=np.uint8)


def _windowed(values: NDArray[Any], dataset: Any) -> NDArray[np.uint8]:
    """Values of the modality as grey levels, by the first window of the file (C.11.2.1.2)."""
    if dataset.get("VOILUTSequence"):
        table = dataset.VOILUTSequence[0]
        looked_up = _pixel_tools().apply_voi(values, dataset)
        return _eight_bits(looked_up, bits=int(table.LUTDescriptor[2]))
    centre, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if centre is None or width is None or width <= 0:
        return _unwindowed(values, dataset)
    levels = values.astype(np.float64)
    how = str(dataset.get("VOILUTFunction") or "LINEAR")
    if how == "SIGMOID":
        shares = 1 / (1 + np.exp(np.clip(-4 * (levels - centre) / width, -60, 60)))
    elif how == "LINEAR_EXACT" or width <= 1:
        shares = (levels - centre) / width + 0.5
    else:
        shares = (levels - (centre - 0.5)) / (width - 1) + 0.5
    return np.asarray((shares * 255 + 0.5).clip(0, 255), dtype=np.uint8)


def _unwindowed(values: NDArray[Any], dataset: Any) -> NDArray[np.uint8]:
    if values.dtype == np.uint8 and int(dataset.get("BitsStored", 8)) == 8:
        return values.view(np.uint8)
    levels = values.astype(np.float64)
    low, high = float(levels.min()), float(levels.max())
    if high <= low:
        return np.zeros(levels.shape, dtype=np.uint8)
    return ((levels - low) / (high - low) * 255 + 0.5).astype(np.uint8)


def _first(value: Any) -> float | None:
    """The first of several windows; None where there is none."""
    if value is None or value == "":
        return None
    many = not isinstance(value, str | float | int) and hasattr(value, "__getitem__")
    return float(value[0] if many else value)
