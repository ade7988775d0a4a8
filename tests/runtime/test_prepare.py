"""A picture is made to fit without turning, stretching or inventing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from firstread import phantom
from firstread.imaging import decode
from firstread.imaging.decode import decode_small
from firstread.packs import Input
from firstread.runtime.prepare import _may_shrink, pixels_of, prepare
from tests.images_for_tests import save

DATA = Path(
    os.environ.get("FIRSTREAD_DATASETS", Path(__file__).resolve().parents[3] / "shared" / "data")
)


def _input(
    *,
    fit: str = "crop",
    colour: str = "rgb",
    size: tuple[int, int] = (32, 32),
    how: str = "bilinear",
) -> Input:
    return Input(
        width_px=size[0],
        height_px=size[1],
        colour=colour,  # type: ignore[arg-type]
        fit=fit,  # type: ignore[arg-type]
        interpolation=how,  # type: ignore[arg-type]
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


def _photographs() -> dict[str, Image.Image]:
    """Fields of cells as a camera sees them: detail of every size, and light that varies."""
    cells = [
        Image.open(BytesIO(phantom.make(check, seed=seed).png)).convert("RGB")
        for check, seed in (("blood-smear", 1), ("leukaemia", 2), ("blood-smear", 3))
    ]
    field = Image.new("RGB", (1296, 972))
    for number in range(9 * 7):
        cell = cells[number % 3].resize((144, 144)).rotate(90 * (number % 4))
        field.paste(cell, (number % 9 * 144, number // 9 * 144))
    return {
        # No lens and no colour filter before a sensor is as sharp as a drawing.
        "a field of cells": field.filter(ImageFilter.GaussianBlur(0.8)),
        "a cell close by": cells[0].resize((1100, 1003), Image.Resampling.LANCZOS),
        "a light that varies": Image.radial_gradient("L").resize((900, 701)).convert("RGB"),
    }


PHOTOGRAPHS = _photographs()


@pytest.mark.parametrize("how", ["nearest", "box", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_jpeg_decoded_small_is_near_one_decoded_whole(name: str, fit: str, how: str) -> None:
    for side in (64, 100, 128):
        given = _input(fit=fit, how=how, size=(side, side))
        for orientation in (1, 6):
            exif = Image.Exif()
            exif[0x0112] = orientation
            _is_near(save(PHOTOGRAPHS[name], "JPEG", quality=92, exif=exif), given)


def _is_near(data: bytes, given: Input) -> None:
    small, whole = pixels_of(data, given), prepare(decode(data), given)
    # Two decoders may round a plain colour apart by a level in two of three channels.
    assert np.abs(small.astype(float) - whole.astype(float)).mean() < 0.67


@pytest.mark.parametrize(("side", "decoded"), [(100, (324, 243)), (128, (648, 486))])
def test_a_large_jpeg_is_decoded_to_a_fraction_of_its_pixels(
    side: int, decoded: tuple[int, int]
) -> None:
    data = save(PHOTOGRAPHS["a field of cells"].resize((2592, 1944)), "JPEG", quality=80)
    shrinks = partial(_may_shrink, _input(size=(side, side)))
    assert decode_small(data, shrinks=shrinks).image.size == decoded


@pytest.mark.parametrize("shape", [(1, 900), (900, 1), (7, 7), (2000, 3), (33, 3000)])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_a_jpeg_of_any_shape_fits(shape: tuple[int, int], fit: str) -> None:
    data = save(Image.new("RGB", shape, (10, 120, 230)), "JPEG", quality=95)
    assert pixels_of(data, _input(fit=fit)).shape == (32, 32, 3)


def _kept_pictures() -> Iterator[bytes]:
    for name in ("blood-cell", "marrow-cell"):
        for path in sorted((DATA / name / "originals").iterdir())[:20]:
            yield path.read_bytes()
    for name in ("smear-field", "pneumonia", "brain-tumour"):
        with ZipFile(DATA / name / "images.zip") as archive:
            for member in archive.namelist()[:20]:
                with Image.open(BytesIO(archive.read(member))) as picture:
                    yield save(picture.convert("RGB"), "JPEG", quality=92)


@pytest.mark.data
@pytest.mark.parametrize("how", ["bilinear", "lanczos"])
def test_kept_pictures_are_within_half_a_grey_level_too(how: str) -> None:
    if not (DATA / "smear-field").is_dir():
        pytest.skip("the pictures are not here: set FIRSTREAD_DATASETS")
    for data in _kept_pictures():
        for side in (64, 100, 128):
            _is_near(data, _input(size=(side, side), how=how))


@pytest.mark.parametrize(
    ("size", "interpolation", "expected"),
    [
        ((90, 400), "bilinear", "b4a7a05a472d91ec"),
        ((61, 301), "bicubic", "d5dc27c43197cdbd"),
        ((400, 90), "lanczos", "17563e0b83e65103"),
        ((333, 250), "box", "3d436303b4186d6d"),
    ],
)
def test_every_pillow_that_may_be_installed_gives_the_same_numbers(
    size: tuple[int, int], interpolation: str, expected: str
) -> None:
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    planes = [(37 * down + 91 * across + across * down * place % 251) % 256 for place in (1, 2, 3)]
    picture = Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))
    found = [
        prepare(picture, _input(fit=fit, size=(48, 32), how=interpolation)).tobytes()
        for fit in ("crop", "pad", "stretch")
    ]
    assert hashlib.sha256(b"".join(found)).hexdigest()[:16] == expected
