"""Of several pages or frames the first that is a picture is read, and which it is, is told."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from firstread.domain.errors import UnreadableSample
from firstread.imaging import decode
from firstread.imaging.decode import decode_small
from firstread.imaging.size import upright_size_px
from tests.images_for_tests import cell, save
from tests.tiff_for_tests import tiff

FIRST, SECOND = cell("red", side_px=64), cell("blue", side_px=64)


def notes(data: bytes) -> tuple[str, ...]:
    return decode_small(data, shrinks=lambda _width, _height: 1.0).notes


def pages(*each: tuple[Image.Image, int], big: bool = False) -> bytes:
    """A TIFF of pages, each with what NewSubfileType says of it."""
    out = BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out) as file:
        for picture, kind in each:
            tags = TiffImagePlugin.ImageFileDirectory_v2()
            tags[254] = kind
            picture.save(file, "TIFF", tiffinfo=tags)
            file.newFrame()
    return out.getvalue()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "MPO"])
def test_the_first_frame_of_an_animation_is_read_and_told(form: str) -> None:
    data = save(FIRST, form, save_all=True, append_images=[SECOND, FIRST])
    assert notes(data) == ("Frame 1 of 3 was read.",)
    red, _, blue = np.asarray(decode(data))[32, 32].tolist()
    assert red > blue


@pytest.mark.parametrize("kind", [1, 4, 5])
def test_a_thumbnail_or_mask_is_never_read(kind: int) -> None:
    data = pages((SECOND.resize((20, 20)), kind), (FIRST, 0), (SECOND, 0))
    assert notes(data) == ("Page 2 of 3 was read; 1 is a thumbnail or mask.",)
    assert decode(data).size == FIRST.size == upright_size_px(data)
    assert np.array_equal(np.asarray(decode(data)), np.asarray(FIRST))


def test_a_file_of_nothing_but_a_thumbnail_is_refused() -> None:
    with pytest.raises(UnreadableSample, match="nothing but a thumbnail"):
        decode(pages((SECOND, 1)))


def test_a_picture_below_its_thumbnail_is_read() -> None:
    grey = np.asarray(FIRST.convert("L"))
    small = tiff(grey[:8, :8], more={254: 1})
    below = len(small) + len(small) % 2
    large = bytearray(tiff(grey))
    data = bytearray(small.ljust(below, b"\0"))
    # The directory of the large one, moved behind the small one, and named in its SubIFDs.
    moved = tiff_moved(bytes(large), by=below)
    with_sub = tiff(grey[:8, :8], more={254: 1, 330: 0})
    shift = below + len(with_sub) - len(small)
    shift += shift % 2
    moved = tiff_moved(bytes(large), by=shift)
    data = bytearray(with_sub.ljust(shift, b"\0"))
    at = data.index(b"\x4a\x01\x03\0\x01\0\0\0")
    data[at : at + 12] = b"\x4a\x01\x04\0\x01\0\0\0" + (shift + 8).to_bytes(4, "little")
    assert decode(bytes(data) + moved).size == FIRST.size


def tiff_moved(data: bytes, *, by: int) -> bytes:
    """The TIFF with its places counted from `by` bytes before it."""
    out, count = bytearray(data), int.from_bytes(data[8:10], "little")
    for place in range(10, 10 + 12 * count, 12):
        tag = int.from_bytes(data[place : place + 2], "little")
        if tag == 273:
            value = int.from_bytes(data[place + 8 : place + 12], "little") + by
            out[place + 8 : place + 12] = value.to_bytes(4, "little")
    return bytes(out)


def test_pages_that_name_each_other_in_a_circle_end() -> None:
    data = bytearray(save(FIRST, "TIFF"))
    first = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[first : first + 2], "little")
    at = first + 2 + 12 * count
    data[at : at + 4] = data[4:8]
    assert notes(bytes(data)) == ()
