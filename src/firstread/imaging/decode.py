"""Bytes of a picture become upright RGB pixels, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from firstread.decoding import MAX_PIXELS
from firstread.decoding.budget import BUDGET, refuse_without_memory
from firstread.dicom.pixels import header_of, is_dicom, shown_of
from firstread.domain.errors import UnreadableSample
from firstread.imaging import jpeg
from firstread.imaging.colour import coloured, exponent_of, primaries_passed_over
from firstread.imaging.deep import eight_bits_of
from firstread.imaging.open_file import DAMAGED, OpenFile, is_deep, opened, refuse_endless_jpeg
from firstread.imaging.webp import canvas_bytes

_ORIENTATION = 0x0112
_FIRST_ON_ITS_SIDE = 5
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PLAIN_BYTES, _OTHER_BYTES, _DEEP_BYTES = 8, 16, 28
"""Of memory for each pixel: where it only becomes RGB, is laid onto white or brought to other
colours, or has more than eight bits. Measured, and rounded up."""
_COEFFICIENT_BYTES = 2
"""Of a progressive JPEG, whose frequencies are all kept until its last scan."""
_OPENED_TIMES, _DICOM_TIMES = 2, 4
"""As often a file is in memory while its form is found, and a DICOM file while it is opened."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels; a part of a pixel is a fraction."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture that was decoded, perhaps at a half, a quarter or an eighth of its size."""

    image: Image.Image
    """Upright, RGB."""
    size_px: tuple[int, int]
    """Width and height of the whole picture, upright."""
    box: Box
    """The part of `image` that the picture fills: a column of 5 pixels, halved, fills 2.5 of 3."""
    notes: tuple[str, ...] = ()
    """What of the file was chosen or passed over, a sentence each."""


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The picture that `data` holds, upright, RGB, transparency laid onto white.

    Of several pages or frames it is the first that is no thumbnail. Raises UnreadableSample where
    the bytes are empty, no picture, cut off, more than `max_pixels` or made to fill memory,
    ShortOfMemory where there is too little of it now; nothing else, whatever the bytes.
    """
    return decode_small(data, shrinks=lambda _width, _height: 1.0, max_pixels=max_pixels).image


def decode_small(
    data: bytes, *, shrinks: Callable[[int, int], float], max_pixels: int = MAX_PIXELS
) -> Picture:
    """As `decode`, but a JPEG is decoded straight to a fraction of its size where that is enough.

    `shrinks` says by what at most an upright picture of that width and height may shrink while it
    is decoded. JPEG keeps blocks of 8 x 8 frequencies: to leave the high ones out gives a half, a
    quarter or an eighth of the size for a fraction of the work and of the memory.
    """
    if is_dicom(data):
        return _dicom(data, max_pixels=max_pixels)
    found = _opened(data, max_pixels=max_pixels)
    picture = found.image
    whole = picture.size
    turned = isinstance(picture, JpegImageFile) and lies_on_its_side(picture)
    factor = _halved(picture, by=shrinks(*whole[::-1] if turned else whole))
    needed = _needed_bytes(found, factor=factor)
    with BUDGET.taken(needed):
        try:
            picture.load()
            _refuse_cut_jpeg(found, factor=factor)
            box = (0.0, 0.0, whole[0] / factor, whole[1] / factor)
            image, notes = _rgb(found)
        except DAMAGED:
            refuse_without_memory(needed)
            raise UnreadableSample(_cut_off(picture)) from None
        return _upright(image, whole, box=box, orientation=_orientation(picture), notes=notes)


def _opened(data: bytes, *, max_pixels: int) -> OpenFile:
    needed = _OPENED_TIMES * len(data) + canvas_bytes(data)
    with BUDGET.taken(min(needed, BUDGET.total_bytes)):
        return opened(data, max_pixels=max_pixels)


def _cut_off(picture: Image.Image) -> str:
    form = "JPEG" if isinstance(picture, JpegImageFile) else picture.format
    return f"This {form} picture is cut off or damaged. Send the file again."


def _dicom(data: bytes, *, max_pixels: int) -> Picture:
    with BUDGET.taken(_OPENED_TIMES * len(data)):
        header = header_of(data)
    pixels = min(header.width_px * header.height_px, max_pixels)
    with BUDGET.taken(_DICOM_TIMES * len(data) + _OTHER_BYTES * pixels):
        shown = shown_of(data, max_pixels=max_pixels, refuse=refuse_endless_jpeg)
        picture = Image.fromarray(np.ascontiguousarray(shown.pixels))
        if shown.profile:
            picture.info["icc_profile"] = shown.profile
        found = coloured(picture, exponent=1.0)
    box = (0.0, 0.0, float(picture.width), float(picture.height))
    notes = (*shown.notes, *found.notes)
    return Picture(image=found.image, size_px=picture.size, box=box, notes=notes)


def _needed_bytes(found: OpenFile, *, factor: int) -> int:
    """How much memory it takes at most to make RGB of it."""
    picture, pixels = found.image, found.image.width * found.image.height
    each = _OTHER_BYTES
    if is_deep(found):
        each = _DEEP_BYTES
    elif picture.mode in ("RGB", "L") and not picture.info.get("icc_profile"):
        each = _PLAIN_BYTES
    needed = pixels * each
    if found.markers is not None and found.markers.is_progressive:
        whole = pixels * factor**2
        needed += whole * (_PLAIN_BYTES + _COEFFICIENT_BYTES * len(found.markers.components))
    return needed


def _halved(picture: Image.Image, *, by: float) -> int:
    """Tell a JPEG's decoder to shrink by 8, 4 or 2, at most by `by`; the factor that it takes."""
    factor = next((each for each in (8, 4, 2) if each <= by), 1)
    if factor == 1 or not isinstance(picture, JpegImageFile):
        return 1
    width, height = picture.size
    taken = picture.draft(None, (max(1, width // factor), max(1, height // factor)))
    return 1 if taken is None else factor


def _refuse_cut_jpeg(found: OpenFile, *, factor: int) -> None:
    """Raises UnreadableSample where a JPEG was cut off and given an end mark.

    libjpeg then fills the rest, and Pillow keeps its warning to itself.
    """
    markers = found.markers
    if markers is None or not markers.end or not markers.is_huffman:
        return
    if not (jpeg.lacks_scans(markers) or jpeg.lacks_restarts(markers, found.data)):
        if not (markers.is_progressive or _ends_grey(found.image)):
            return
        # The last scan may hold fine detail alone, of which a small picture shows nothing.
        whole = found.image if factor == 1 else _again(found.data)
        more = _again(jpeg.with_more_data(markers, found.data))
        if np.array_equal(np.asarray(whole), np.asarray(more)):
            return
    raise UnreadableSample(_cut_off(found.image))


def _again(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=("JPEG",))


def _ends_grey(picture: Image.Image) -> bool:
    """Whether the last pixel has the grey that libjpeg fills in where data are missing."""
    last = picture.getpixel((picture.width - 1, picture.height - 1))
    return all(value in (127, 128) for value in (last if isinstance(last, tuple) else (last,)))


def lies_on_its_side(picture: Image.Image) -> bool:
    """Whether a picture's width will be its height when it stands upright."""
    return _orientation(picture) >= _FIRST_ON_ITS_SIDE


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except DAMAGED:
        return 1  # a damaged note beside the picture does not make the picture unreadable


def _upright(
    image: Image.Image,
    whole: tuple[int, int],
    *,
    box: Box,
    orientation: int,
    notes: tuple[str, ...],
) -> Picture:
    turn = _UPRIGHT.get(orientation)
    if turn is None:
        return Picture(image=image, size_px=whole, box=box, notes=notes)
    return Picture(
        image=image.transpose(turn),
        size_px=whole[::-1] if orientation >= _FIRST_ON_ITS_SIDE else whole,
        box=_turned(box, size=image.size, orientation=orientation),
        notes=notes,
    )


def _turned(box: Box, *, size: tuple[int, int], orientation: int) -> Box:
    """The box in the upright picture; `size` is that of the picture as it lay in the file."""
    left, top, right, bottom = box
    if orientation in (2, 3, 7, 8):
        left, right = size[0] - right, size[0] - left
    if orientation in (3, 4, 6, 7):
        top, bottom = size[1] - bottom, size[1] - top
    if orientation >= _FIRST_ON_ITS_SIDE:
        return top, left, bottom, right
    return left, top, right, bottom


def _rgb(found: OpenFile) -> tuple[Image.Image, tuple[str, ...]]:
    """The loaded picture in sRGB, and what of the file was chosen or passed over."""
    deep = eight_bits_of(found)
    if deep is None:
        shown = coloured(found.image, exponent=exponent_of(found.image.info))
        told = primaries_passed_over(found.image.info)
        return shown.image, (*found.notes, *told, *shown.notes)
    image, notes = deep
    shown = coloured(image, exponent=1.0)
    return shown.image, (*found.notes, *notes, *shown.notes)
