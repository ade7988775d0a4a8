"""Files of more than eight bits, of any order and sign, read as their eight bits would."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from firstread.domain.errors import UnreadableSample
from firstread.imaging.decode import Picture, decode_small
from tests.images_for_tests import cell, chunk
from tests.tiff_for_tests import tiff

HERE = Path(__file__).parent / "deep"
COLOURS = np.asarray(cell(side_px=120))
GREY = np.asarray(cell(side_px=120).convert("L"))
WIDE = GREY.astype(np.uint16)
NOISE = np.random.default_rng(3).integers(0, 16, GREY.shape).astype(np.uint16)


def opened(data: bytes) -> Picture:
    return decode_small(data, shrinks=lambda _width, _height: 1.0)


def apart(data: bytes, wanted: np.ndarray) -> int:
    found = np.asarray(opened(data).image).astype(int)
    wanted = wanted if wanted.ndim == 3 else wanted[..., None]
    return int(np.abs(found - wanted).max())


@pytest.mark.parametrize("name", ["black0.tif", "white0.tif"])
def test_white_as_zero_and_black_as_zero_show_the_same_picture(name: str) -> None:
    right = np.asarray(Image.open(HERE / "expected.right.png").convert("L"))
    assert apart((HERE / name).read_bytes(), right) == 0


TIFFS = {
    "16 bits": lambda o: tiff(WIDE * 257, order=o),
    "16 bits, white is zero": lambda o: tiff(65535 - WIDE * 257, photometric=0, order=o),
    "12 in 16 bits": lambda o: tiff(WIDE * 16 + NOISE, order=o),
    "12 in 16 bits, white is zero": lambda o: tiff(4095 - WIDE * 16, photometric=0, order=o),
    "with its largest value": lambda o: tiff(WIDE * 7, order=o, more={281: 255 * 7}),
    "with both ends": lambda o: tiff(WIDE * 7 + 9, order=o, more={340: 9, 341: 255 * 7 + 9}),
    "with a wrong largest value": lambda o: tiff(WIDE * 257, order=o, more={281: 900}),
    "fractions": lambda o: tiff((GREY / 255).astype(np.float32), order=o),
    "fractions, white is zero": lambda o: tiff(
        (1 - GREY / 255).astype(np.float32), photometric=0, order=o
    ),
    "8 bits with a sign": lambda o: tiff((GREY.astype(int) - 128).astype(np.int8), order=o),
    "8 bits, white is zero": lambda o: tiff(255 - GREY, photometric=0, order=o),
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", TIFFS)
def test_greys_of_a_tiff_read_as_their_eight_bits(form: str, order: str) -> None:
    assert apart(TIFFS[form](order), GREY) <= 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_colours_of_a_tiff_keep_the_range_of_their_camera(order: str) -> None:
    wide = COLOURS.astype(np.uint16)
    assert apart(tiff(wide * 257, photometric=2, order=order), COLOURS) == 0
    assert apart(tiff(wide * 16 + 7, photometric=2, order=order), COLOURS) <= 1


def test_numbers_with_a_sign_are_stretched_and_that_is_told() -> None:
    found = opened(tiff(WIDE.astype(np.int16) * 4 - 500))
    assert found.notes[0].startswith("Its values were stretched from -")
    assert (np.asarray(found.image).min(), np.asarray(found.image).max()) == (0, 255)


def png16(numbers: np.ndarray, form: int, *more: tuple[bytes, bytes]) -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in numbers)
    head = struct.pack(">IIBBBBB", numbers.shape[1], numbers.shape[0], 16, form, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), *(chunk(*each) for each in more),
            chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""),
        ]
    )  # fmt: skip


@pytest.mark.parametrize(("times", "plus"), [(257, 0), (16, 5)])
def test_a_png_of_16_bits_reads_as_its_eight_bits(times: int, plus: int) -> None:
    full = np.full((*GREY.shape, 1), 65535, dtype=np.uint16)
    grey, wide = WIDE[..., None] * times + plus, COLOURS.astype(np.uint16) * times + plus
    assert apart(png16(grey, 0), GREY) <= 1
    assert apart(png16(np.dstack([grey, full]), 4), GREY) <= 1
    assert apart(png16(wide, 2), COLOURS) <= 1
    assert apart(png16(np.dstack([wide, full]), 6), COLOURS) <= 1


def test_a_png_that_says_how_many_bits_were_measured_is_believed() -> None:
    assert apart(png16(WIDE[..., None] * 7, 0, (b"sBIT", b"\x0c")), WIDE * 7 / 16) <= 1


def test_gamma_is_applied_to_all_sixteen_bits() -> None:
    linear = png16(WIDE[..., None] * 257, 0, (b"gAMA", struct.pack(">I", 100_000)))
    assert apart(linear, np.rint(255 * (GREY / 255) ** (1 / 2.2))) <= 1


def test_a_form_that_is_not_opened_is_named() -> None:
    with pytest.raises(UnreadableSample, match="floating point of 64 bits"):
        opened(tiff(GREY / 255))
