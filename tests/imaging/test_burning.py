"""Files that were made to burn time or memory are refused before they are unpacked."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from firstread.domain.errors import UnreadableSample
from firstread.imaging import decode
from firstread.imaging.jpeg import markers_of
from tests.images_for_tests import chunk, save

SIDE = 9984


def scans(count: int, *, side_px: int = 2000) -> bytes:
    """A progressive JPEG whose last scan stands in it so many times more."""
    data = save(Image.new("L", (side_px, side_px), 128), "JPEG", progressive=True)
    found = markers_of(data)
    last = data[data.rfind(b"\xff\xda", 0, found.scans[-1].begin) : found.scans[-1].end]
    return data[: found.end] + last * count + b"\xff\xd9"


def png() -> bytes:
    squeezer = zlib.compressobj(9)
    rows = b"".join(squeezer.compress(bytes((1 + 3 * SIDE) * 64)) for _ in range(SIDE // 64))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head),
            chunk(b"IDAT", rows + squeezer.flush()), chunk(b"IEND", b""),
        ]
    )  # fmt: skip


def float_tiff() -> bytes:
    """Nearly 100 million floating-point numbers whose strips are all the same few bytes."""
    strip = zlib.compress(bytes(4 * SIDE * 64), 9)
    count = SIDE // 64
    out = bytearray(b"II*\0\0\0\0\0" + strip)
    places, sizes = len(out), len(out) + 4 * count
    out += struct.pack(f"<{count}I", *[8] * count)
    out += struct.pack(f"<{count}I", *[len(strip)] * count)
    tags = [
        (256, 4, 1, SIDE), (257, 4, 1, SIDE), (258, 3, 1, 32), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, count, places), (277, 3, 1, 1), (278, 4, 1, 64), (279, 4, count, sizes),
        (339, 3, 1, 3),
    ]  # fmt: skip
    struct.pack_into("<I", out, 4, len(out))
    out += struct.pack("<H", len(tags))
    return bytes(out + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4))


BURNING: dict[str, tuple[Callable[[], bytes], str]] = {
    "a JPEG of a thousand scans": (lambda: scans(1000), "far more often"),
    "a JPEG of eighty scans": (lambda: scans(80), "far more often"),
    "a PNG of nothing": (png, "too few for anything"),
    "a TIFF of nothing": (float_tiff, "too few for anything"),
    "a GIF of nothing": (lambda: save(Image.new("L", (SIDE, SIDE)), "GIF"), "too few"),
    "a WebP of nothing": (
        lambda: save(Image.new("L", (SIDE, SIDE)).convert("RGB"), "WEBP", lossless=True),
        "too few",
    ),
}


@pytest.mark.parametrize("what", BURNING)
def test_a_file_that_was_made_to_burn_is_refused_before_it_is_unpacked(what: str) -> None:
    made, said = BURNING[what]
    data = made()
    tracemalloc.start()
    with pytest.raises(UnreadableSample, match=said):
        decode(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000


def test_a_small_blank_picture_is_none() -> None:
    for form in ("PNG", "TIFF", "GIF", "WEBP", "JPEG"):
        assert decode(save(Image.new("L", (3000, 2000), 255), form)).size == (3000, 2000)
    assert decode(scans(80, side_px=200)).size == (200, 200)
