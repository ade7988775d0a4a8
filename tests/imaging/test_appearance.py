"""What a picture looks like can be told from a row of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from firstread.imaging.appearance import appearance, colour_of
from firstread.imaging.quality import measure
from tests.images_for_tests import cell


def _row(picture: Image.Image) -> np.ndarray:
    pixels = np.asarray(picture, dtype=np.uint8)
    return appearance(pixels, sharpness=measure(pixels).sharpness)


def test_cells_of_one_stain_look_more_alike_than_cells_of_two() -> None:
    red, other_red, blue = _row(cell("red")), _row(cell("red", seed=2)), _row(cell("blue"))
    assert np.linalg.norm(red - other_red) < np.linalg.norm(red - blue) / 2


@pytest.mark.parametrize("side_px", [1, 2, 3, 5, 7, 16, 33])
def test_the_smallest_picture_has_a_look(side_px: int) -> None:
    row = appearance(np.full((side_px, side_px + 1, 3), 9, dtype=np.uint8), sharpness=0.0)
    assert row.shape == (55,)
    assert np.isfinite(row).all()


def test_a_picture_that_has_lost_its_colour_says_how_much_it_had() -> None:
    pixels = np.full((32, 32, 3), 80, dtype=np.uint8)
    grey = appearance(pixels, sharpness=0.0, colour=0.0)
    coloured = appearance(pixels, sharpness=0.0, colour=60.0)
    assert len(grey) == 56
    assert coloured[-1] > grey[-1]
    assert (coloured[:-1] == grey[:-1]).all()


def test_a_grey_picture_has_no_colour_and_a_stained_one_has() -> None:
    assert colour_of(Image.new("RGB", (40, 30), (90, 90, 90))) == 0
    assert colour_of(cell("red")) > 30
