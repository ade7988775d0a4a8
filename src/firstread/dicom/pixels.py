"""The picture in a DICOM file as a viewer shows it at first, and nothing else of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firstread.decoding import MAX_PIXELS, is_bomb
from firstread.decoding.levels import Range, spread_of, to_levels
from firstread.dicom.damage import DAMAGED
from firstread.dicom.opening import is_dicom, opened
from firstread.dicom.values import numbers_of, of_frame
from firstread.domain.errors import UnreadableSample

__all__ = ["Header", "Shown", "header_of", "is_dicom", "png_of", "shown_of"]

_LOOKED_AT = 50_000_000
"""Pixels of all frames together that are looked at for one stretch; of more, frames between."""
_FRAMES_BETWEEN = 32
_JPEG = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a DICOM file says of its picture, and whose it is (the identifier alone, no name)."""

    patient: str
    frames: int
    width_px: int
    height_px: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One frame as it is shown."""

    pixels: NDArray[np.uint8]
    """[H, W] of greys, or [H, W, 3]."""
    profile: bytes
    """The ICC profile of its colours, b'' where it has none."""
    notes: tuple[str, ...]
    """What of the file was chosen or passed over."""


def header_of(data: bytes) -> Header:
    """What a DICOM file says, without unpacking its pixels.

    Raises UnreadableSample where it cannot be opened or holds no picture.
    """
    return _header(opened(data, pixels=False))


def png_of(data: bytes, *, frame: int = 0) -> bytes:
    """One frame as an 8-bit PNG, grey or RGB; raises UnreadableSample as `shown_of`."""
    out = BytesIO()
    pixels = np.ascontiguousarray(shown_of(data, frame=frame).pixels)
    Image.fromarray(pixels).save(out, format="PNG", compress_level=1)
    return out.getvalue()


def shown_of(
    data: bytes,
    *,
    frame: int = 0,
    max_pixels: int = MAX_PIXELS,
    refuse: Callable[[bytes], None] = lambda _frame: None,
) -> Shown:
    """One frame as a viewer would show it at first.

    The rescale and the first window or table of values of the file or of the frame are applied
    (DICOM PS3.3, C.7.6.16.2, C.11.1 and C.11.2). Without a window 8-bit pixels stay as they are,
    and deeper ones are stretched from the darkest to the brightest of all frames. MONOCHROME1 and
    the presentation shape INVERSE, where 0 is white, are inverted; padding is black. `refuse` is
    shown the frame of a JPEG before it is unpacked. Raises UnreadableSample where all that
    cannot be done.
    """
    dataset = opened(data, pixels=True)
    header = _header(dataset)
    if header.width_px * header.height_px > max_pixels:
        raise UnreadableSample(
            f"This DICOM file claims {header.width_px} x {header.height_px} pixels; at most "
            f"{max_pixels / 1e6:g} million are opened. Send a part of it."
        )
    if not 0 <= frame < header.frames:
        raise UnreadableSample(
            f"This DICOM file holds {header.frames} frames. Name one of them, counted from 0."
        )
    try:
        _refuse_unknown_syntax(dataset)
        _refuse_frame(dataset, frame=frame, frames=header.frames, refuse=refuse)
        return _shown(dataset, frame=frame, frames=header.frames)
    except DAMAGED as why:
        raise UnreadableSample(
            "The pixels of this DICOM file are damaged, or packed in a way that is not read here. "
            "Export it again without compression."
        ) from why


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


def _refuse_unknown_syntax(dataset: Any) -> None:
    """Raises UnreadableSample where nothing here unpacks the pixels, and names what they are."""
    from pydicom.pixels.decoders.base import get_decoder

    syntax = getattr(dataset.file_meta, "TransferSyntaxUID", None)
    if syntax is None or not syntax.is_compressed or syntax.is_deflated:
        return
    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:
        known = False
    if not known:
        raise UnreadableSample(
            f"The pixels of this DICOM file are packed as {syntax.name}, which is not opened "
            "here. Export it again without compression."
        )


def _refuse_frame(
    dataset: Any, *, frame: int, frames: int, refuse: Callable[[bytes], None]
) -> None:
    syntax = getattr(dataset.file_meta, "TransferSyntaxUID", None)
    if syntax is None or not syntax.is_encapsulated:
        return
    from pydicom.encaps import get_frame

    packed = get_frame(dataset.PixelData, frame, number_of_frames=frames)
    numbers = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel", 1))
    unpacked = numbers * int(dataset.BitsAllocated) // 8
    if is_bomb(unpacked_bytes=unpacked, packed_bytes=len(packed)):
        raise UnreadableSample(
            f"This DICOM file unpacks {len(packed)} bytes to a picture of {dataset.Columns} x "
            f"{dataset.Rows} pixels: too few for anything to be seen in it."
        )
    if syntax in _JPEG:
        refuse(packed)


def _shown(dataset: Any, *, frame: int, frames: int) -> Shown:
    tools = _pixel_tools()
    notes = (f"Frame {frame + 1} of {frames} was read.",) if frames > 1 else ()
    pixels = tools.pixel_array(dataset, index=frame)
    meaning = str(dataset.get("PhotometricInterpretation", ""))
    if meaning == "PALETTE COLOR":
        pixels = tools.apply_color_lut(pixels, dataset)
        levels = _eight_bits(pixels, bits=8 * pixels.dtype.itemsize)
        return Shown(pixels=levels, profile=b"", notes=notes)
    if pixels.ndim == 3:
        levels = _eight_bits(pixels[..., :3], bits=int(dataset.BitsStored))
        profile = bytes(dataset.get("ICCProfile") or b"")
        return Shown(pixels=levels, profile=profile, notes=notes)
    padded = _padding(pixels, dataset)
    grey, more = _windowed(pixels, dataset, frame=frame, frames=frames)
    inverted, odd = _is_inverted(dataset, meaning)
    levels = 255 - grey if inverted else grey
    if padded is not None:
        levels = np.where(padded, np.uint8(0), levels)
    return Shown(pixels=levels, profile=b"", notes=(*notes, *more, *odd))


def _pixel_tools() -> Any:
    from pydicom import pixels

    return pixels


def _is_inverted(dataset: Any, meaning: str) -> tuple[bool, tuple[str, ...]]:
    """Whether the least value is white, and what of the file says the contrary."""
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    if meaning == "MONOCHROME1" and shape == "IDENTITY":
        return True, ("It says MONOCHROME1 and a presentation of IDENTITY: 0 is shown as white.",)
    return meaning == "MONOCHROME1" or shape == "INVERSE", ()


def _padding(pixels: NDArray[Any], dataset: Any) -> NDArray[np.bool_] | None:
    """Which pixels only fill the frame (C.7.5.1.1.2); None where none do."""
    value = dataset.get("PixelPaddingValue")
    if not isinstance(value, int):
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted((value, limit if isinstance(limit, int) else value))
    bits = int(dataset.BitsAllocated)
    if pixels.dtype.kind == "i" and low >= 1 << (bits - 1):  # written without its sign
        low, high = low - (1 << bits), high - (1 << bits)
    found = (pixels >= low) & (pixels <= high)
    return found if found.any() and not found.all() else None


def _eight_bits(pixels: NDArray[Any], *, bits: int) -> NDArray[np.uint8]:
    if bits == 8 and pixels.dtype == np.uint8:
        return np.asarray(pixels)
    deep = np.asarray(pixels, dtype=np.float32)
    return np.asarray((deep * (255.0 / (2**bits - 1)) + 0.5).clip(0, 255), dtype=np.uint8)


def _rescaled(pixels: NDArray[Any], dataset: Any, *, frame: int) -> NDArray[Any]:
    """The stored numbers as those of the modality, such as Hounsfield units (C.11.1)."""
    where = of_frame(
        dataset, "PixelValueTransformationSequence", "RescaleSlope", frame=frame
    )  # fmt: skip
    if where.get("ModalityLUTSequence"):
        return np.asarray(_pixel_tools().apply_modality_lut(pixels, where))
    slope, intercept = numbers_of(where, "RescaleSlope"), numbers_of(where, "RescaleIntercept")
    if not slope and not intercept:
        return pixels
    by, plus = (slope or [1.0])[0], (intercept or [0.0])[0]
    if (by, plus) == (1.0, 0.0):
        return pixels
    return np.asarray(pixels.astype(np.float32) * np.float32(by) + np.float32(plus))


def _windowed(
    pixels: NDArray[Any], dataset: Any, *, frame: int, frames: int
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The frame's numbers as grey levels, by its first window or table (C.11.2.1.2)."""
    values = _rescaled(pixels, dataset, frame=frame)
    where = of_frame(dataset, "FrameVOILUTSequence", "WindowCenter", frame=frame)
    if where.get("VOILUTSequence"):
        table = where.VOILUTSequence[0]
        looked_up = _pixel_tools().apply_voi(values, where)
        return _eight_bits(looked_up, bits=int(table.LUTDescriptor[2])), ()
    centres, widths = numbers_of(where, "WindowCenter"), numbers_of(where, "WindowWidth")
    if not centres or not widths or widths[0] <= 0:
        return _unwindowed(values, dataset, frames=frames)
    windows = min(len(centres), len(widths))
    notes = (f"Window 1 of {windows} was used.",) if windows > 1 else ()
    how = str(where.get("VOILUTFunction") or "LINEAR")
    return _through_window(values, centre=centres[0], width=widths[0], how=how), notes


def _through_window(
    values: NDArray[Any], *, centre: float, width: float, how: str
) -> NDArray[np.uint8]:
    levels = values.astype(np.float64)
    if how == "SIGMOID":
        shares = 1 / (1 + np.exp(np.clip(-4 * (levels - centre) / width, -60, 60)))
    elif how == "LINEAR_EXACT" or width <= 1:
        shares = (levels - centre) / width + 0.5
    else:
        shares = (levels - (centre - 0.5)) / (width - 1) + 0.5
    return np.asarray((shares * 255 + 0.5).clip(0, 255), dtype=np.uint8)


def _unwindowed(
    values: NDArray[Any], dataset: Any, *, frames: int
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    if values.dtype == np.uint8 and int(dataset.get("BitsStored", 8)) == 8:
        return values.view(np.uint8), ()
    spreads = [spread_of(each) for each in _numbers_of_all(dataset, frames=frames) if each.size]
    if not spreads:
        return np.zeros(values.shape, dtype=np.uint8), ()
    low = min(spread.darkest for spread in spreads)
    high = max(spread.brightest for spread in spreads)
    if high <= low:
        return np.zeros(values.shape, dtype=np.uint8), ()
    note = f"It names no window: its values were stretched from {low:g} to {high:g}."
    return to_levels(np.asarray(values), Range(low=low, high=high)), (note,)


def _numbers_of_all(dataset: Any, *, frames: int) -> Iterator[NDArray[Any]]:
    """The numbers of every frame, or of some where they are many, without their padding."""
    chosen = range(frames)
    if frames * int(dataset.Rows) * int(dataset.Columns) > _LOOKED_AT:
        chosen = np.unique(np.linspace(0, frames - 1, _FRAMES_BETWEEN).astype(int)).tolist()
    tools = _pixel_tools()
    for number in chosen:
        pixels = tools.pixel_array(dataset, index=number)
        padded = _padding(pixels, dataset)
        kept = pixels if padded is None else pixels[~padded]
        yield _rescaled(kept, dataset, frame=number)
