"""A JPEG that lacks some of its data is refused, however it ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from firstread.domain.errors import UnreadableSample
from firstread.imaging import decode
from firstread.imaging.decode import decode_small
from tests.images_for_tests import cell, save

PICTURE = cell(side_px=200)
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "progressive": {"progressive": True},
    "of full colours": {"subsampling": 0},
    "with restarts": {"restart_marker_blocks": 7},
    "grey": {"mode": "L"},
    "cmyk": {"mode": "CMYK"},
    "progressive grey": {"mode": "L", "progressive": True},
}


def jpeg(kind: str) -> bytes:
    options = dict(KINDS[kind])
    return save(PICTURE.convert(options.pop("mode", "RGB")), "JPEG", quality=90, **options)


@pytest.mark.parametrize("shrinks", [1.0, 2.0, 8.0])
@pytest.mark.parametrize("left", [0.3, 0.55, 0.8, 0.96])
@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_that_was_cut_off_and_given_an_end_mark_is_refused(
    kind: str, left: float, shrinks: float
) -> None:
    data = jpeg(kind)
    cut = data[: int(len(data) * left)].rstrip(b"\xff") + b"\xff\xd9"
    with pytest.raises(UnreadableSample, match="cut off or damaged"):
        decode_small(cut, shrinks=lambda _width, _height: shrinks)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_jpeg_is_read_whatever_follows_its_end(kind: str) -> None:
    data = jpeg(kind)
    whole = np.asarray(decode(data))
    assert np.array_equal(np.asarray(decode(data + b"what a program left here \xff\xd9")), whole)


def test_a_grey_picture_of_the_grey_that_stands_for_missing_data_is_read() -> None:
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 3}):
        blank = Image.new("RGB", (130, 90), (128, 128, 128))
        blank.paste((250, 250, 250), (0, 0, 40, 40))
        assert decode(save(blank, "JPEG", **options)).getpixel((129, 89)) == (128, 128, 128)


def test_a_jpeg_without_its_frame_is_refused() -> None:
    data = jpeg("plain")
    at = data.index(b"\xff\xc0")
    with pytest.raises(UnreadableSample):
        decode(data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :])
