"""Bytes become a picture that Pillow has opened and not yet unpacked; what burns is refused."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from firstread.decoding import MAX_PIXELS, is_bomb
from firstread.decoding.budget import refuse_without_memory
from firstread.domain.errors import UnreadableSample
from firstread.imaging import gif, jpeg
from firstread.imaging.sniff import what_it_is
from firstread.imaging.tiff import Page, is_tiff, tiff_of
from firstread.imaging.webp import canvas_bytes

# Pillow warns from its own limit on; so that it never warns of a picture that is opened, one limit.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
"""The only parsers of Pillow that hostile bytes ever reach."""

SEND = "Send PNG, JPEG, TIFF, BMP, WebP, GIF or DICOM."

DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    EOFError,
    RuntimeError,
    BufferError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,  # where the operator turned warnings into errors, a doubt refuses
)
"""What Pillow's parsers were seen to raise on damaged bytes, or say in their documentation. All of
them mean the same to the person who sent the file; want of memory is not among them."""

_BYTES = {"1": 0.125, "L": 1, "P": 1, "LA": 2, "La": 2, "PA": 2, "I": 4, "F": 4, "RGB": 3}


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenFile:
    """A picture whose size and form are known, and whose pixels are still packed."""

    image: ImageFile
    data: bytes
    """Of the file as Pillow was given it."""
    raw_mode: str
    """How Pillow calls the form that the pixels have in the file."""
    notes: tuple[str, ...] = ()
    """Which of its pages or frames it is."""
    page: Page | None = None
    """Of a TIFF."""
    markers: jpeg.Markers | None = None
    """Of a JPEG."""


def opened(data: bytes, *, max_pixels: int) -> OpenFile:
    """The picture that `data` holds; raises UnreadableSample where it is none, or would burn."""
    if not data:
        raise UnreadableSample("The file is empty. Send it again.")
    found = _tiff(data) if is_tiff(data) else _first(data)
    width, height = found.image.size
    if width * height > max_pixels:
        raise _too_large(max_pixels, width=width, height=height)
    if width < 1 or height < 1:
        raise UnreadableSample("This picture has no pixels. Send it again.")
    if found.markers is not None and found.markers.is_endless:
        raise UnreadableSample(ENDLESS)
    _refuse_bomb(found, len(data))
    return found


ENDLESS = (
    "This JPEG goes over its picture far more often than any program does. Open it and save it "
    "again."
)


def refuse_endless_jpeg(data: bytes) -> None:
    """Raises UnreadableSample where the decoder would go over a JPEG far too often."""
    if jpeg.markers_of(data).is_endless:
        raise UnreadableSample(ENDLESS)


def _first(data: bytes) -> OpenFile:
    image = _opened_by_pillow(data)
    markers = jpeg.markers_of(data) if data[:2] == b"\xff\xd8" else None
    frames = gif.frames_of(data) if image.format == "GIF" else getattr(image, "n_frames", 1)
    notes = (f"Frame 1 of {_many(frames, gif.MOST_COUNTED)} was read.",) if frames > 1 else ()
    return OpenFile(image=image, data=data, raw_mode=_raw_mode(image), notes=notes, markers=markers)


def _many(count: int, most: int) -> str:
    return str(count) if count <= most else f"more than {most}"


def _tiff(data: bytes) -> OpenFile:
    """The first page of a TIFF that is no thumbnail and no mask."""
    tiff = tiff_of(data)
    if tiff is None:
        return _first(data)
    place = tiff.picture
    if place is None:
        raise UnreadableSample(
            "This TIFF holds nothing but a thumbnail or a mask. Save the picture itself as TIFF."
        )
    page = tiff.pages[place]
    inverts = page.white_is_zero and max(page.bits) > 8
    if place or inverts:
        data = tiff.beginning_at(page, black_is_zero=inverts)
    notes = (_which_page(tiff.pages, place),) if len(tiff.pages) > 1 else ()
    try:
        image = _opened_by_pillow(data)
    except UnreadableSample:
        bits = "/".join(str(each) for each in page.bits[:8])
        form = {2: "signed", 3: "floating point"}.get(page.form, "unsigned")
        raise UnreadableSample(
            f"This TIFF is damaged, or of a form that is not opened here (its numbers are {form} "
            f"of {bits} bits). Save it with 8 bits for each colour, or as PNG."
        ) from None
    return OpenFile(image=image, data=data, raw_mode=_raw_mode(image), notes=notes, page=page)


def _which_page(pages: tuple[Page, ...], place: int) -> str:
    said = f"Page {place + 1} of {len(pages)} was read"
    smaller = sum(not page.is_picture for page in pages)
    if not smaller:
        return f"{said}."
    return f"{said}; {smaller} {'is a' if smaller == 1 else 'are'} thumbnail or mask" + (
        "." if smaller == 1 else "s."
    )


def _opened_by_pillow(data: bytes) -> ImageFile:
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(MAX_PIXELS) from None
    except (*DAMAGED, UnidentifiedImageError):
        refuse_without_memory(canvas_bytes(data))
        found = what_it_is(data)
        if found is None:
            raise UnreadableSample(
                f"This is not a picture Firstread can open, or it is damaged. {SEND}"
            ) from None
        raise UnreadableSample(
            f"This is {found}, not a picture Firstread can open. {SEND}"
        ) from None


def _refuse_bomb(opened: OpenFile, packed_bytes: int) -> None:
    image = opened.image
    each = _BYTES.get(image.mode, 1 if image.mode.startswith("I;16") else 4)
    deep = 2 if is_deep(opened) and image.mode not in ("I", "F") else 1
    unpacked = image.width * image.height * each * deep
    if is_bomb(unpacked_bytes=unpacked, packed_bytes=packed_bytes):
        raise UnreadableSample(
            f"This picture of {image.width} x {image.height} pixels comes in {packed_bytes} bytes, "
            "too few for anything to be seen in it. Send the picture itself."
        )


def is_deep(opened: OpenFile) -> bool:
    """Whether there are more than eight bits for each colour."""
    return opened.image.mode in ("I", "F") or ";16" in opened.raw_mode or ";12" in opened.raw_mode


def _raw_mode(image: ImageFile) -> str:
    args = image.tile[0][3] if image.tile else ""
    return str(args[0] if isinstance(args, tuple) and args else args)


def _too_large(max_pixels: int, *, width: int = 0, height: int = 0) -> UnreadableSample:
    size = f"{width} x {height} pixels" if width else "more pixels than can be opened"
    return UnreadableSample(
        f"This picture claims {size}; at most {max_pixels / 1e6:g} million are opened. "
        "Send a smaller picture or a part of it."
    )
