"""Blur, darkness and emptiness can be told from the numbers."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from firstread.imaging.quality import measure
from tests.images_for_tests import cell


def _pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, dtype=np.uint8)


def test_blur_lowers_sharpness_and_leaves_brightness() -> None:
    sharp = measure(_pixels(cell()))
    blurred = measure(_pixels(cell().filter(ImageFilter.GaussianBlur(3))))
    assert blurred.sharpness < sharp.sharpness / 5
    assert abs(blurred.brightness - sharp.brightness) < 2


def test_darkness_lowers_brightness() -> None:
    dark = measure((_pixels(cell()) * 0.1).astype(np.uint8))
    assert dark.brightness < measure(_pixels(cell())).brightness / 5


def test_an_empty_field_has_no_contrast() -> None:
    assert measure(np.full((32, 32, 3), 200, dtype=np.uint8)).contrast == 0


def test_the_smallest_picture_has_a_quality() -> None:
    assert measure(np.zeros((1, 1, 3), dtype=np.uint8)).sharpness == 0
