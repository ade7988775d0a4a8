"""A picture is made to fit without turning, stretching or inventing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from firstread.packs import Input
from firstread.runtime.prepare import prepare


def _input(*, fit: str = "crop", colour: str = "rgb", size: tuple[int, int] = (32, 32)) -> Input:
    return Input(
        width_px=size[0],
        height_px=size[1],
        colour=colour,  # type: ignore[arg-type]
        fit=fit,  # type: ignore[arg-type]
        interpolation="bilinear",
    )


@settings(max_examples=120, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    fit=st.sampled_from(["crop", "pad", "stretch"]),
    colour=st.sampled_from(["rgb", "grey"]),
)
def test_any_picture_fits(
    width: int, height: int, size: tuple[int, int], fit: str, colour: str
) -> None:
    pixels = prepare(
        Image.new("RGB", (width, height), (10, 120, 230)), _input(fit=fit, colour=colour, size=size)
    )
    assert pixels.shape == (size[1], size[0], 3)
    assert pixels.dtype == np.uint8
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) == 1  # a plain picture stays plain


def test_a_picture_of_the_right_size_is_left_as_it_is() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for fit in ("crop", "pad", "stretch"):
        assert np.array_equal(prepare(Image.fromarray(pixels), _input(fit=fit)), pixels)


def test_crop_keeps_the_centre_and_loses_the_sides() -> None:
    picture = Image.new("RGB", (96, 32), "red")
    picture.paste("blue", (32, 0, 64, 32))
    assert np.array_equal(prepare(picture, _input())[16, 2:30], [[0, 0, 255]] * 28)


def test_pad_keeps_everything_on_the_colour_of_the_border() -> None:
    picture = Image.new("RGB", (64, 32), (200, 180, 190))
    picture.paste("black", (16, 8, 48, 24))
    pixels = prepare(picture, _input(fit="pad"))
    assert pixels[2, 16].tolist() == [200, 180, 190]
    assert pixels[16, 16].tolist() == [0, 0, 0]


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_fine_detail_does_not_turn_into_patterns(fit: str) -> None:
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pixels = prepare(Image.fromarray(board).convert("RGB"), _input(fit=fit))
    assert pixels.min() > 110
    assert pixels.max() < 145


def test_grey_repeats_the_luma() -> None:
    pixels = prepare(Image.new("RGB", (32, 32), (255, 0, 0)), _input(colour="grey"))
    assert pixels[0, 0].tolist() == [76, 76, 76]
