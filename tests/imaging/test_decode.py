"""Pictures of every form are opened upright, and everything else gets a sentence."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from firstread.domain.errors import UnreadableSample
from firstread.imaging import decode, display, thumbnail
from tests.images_for_tests import (
    as_png,
    bomb_png,
    cell,
    cell_png,
    every_form,
    not_pictures,
    save,
    text_bomb_png,
)

PICTURE = cell("red", seed=3, side_px=64)
FORMS = every_form(PICTURE)
MISTAKES = not_pictures()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_picture(form: str) -> None:
    found = decode(FORMS[form])
    assert found.mode == "RGB"
    assert found.size == PICTURE.size
    wanted = PICTURE.convert("L").convert("RGB") if form.startswith("grey") else PICTURE
    apart = np.abs(np.asarray(found, dtype=float) - np.asarray(wanted, dtype=float))
    assert apart.mean() < 5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_turned_picture_stands_upright(form: str, orientation: int) -> None:
    upright = Image.new("RGB", (40, 24), "white")
    upright.paste((200, 0, 0), (0, 0, 16, 8))  # a red corner, top left
    backwards = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turned = upright.transpose(backwards[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode(save(turned, form, exif=exif))
    assert found.size == (40, 24)
    red = np.asarray(found, dtype=float)[2:6, 3:12].mean(axis=(0, 1))
    assert red[0] > 150
    assert red[1] < 90


def test_transparency_lies_on_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert decode(as_png(clear)).getpixel((4, 4)) == (255, 255, 255)


def test_sixteen_bits_of_a_twelve_bit_camera_are_not_dark() -> None:
    values = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    found = np.asarray(decode(save(Image.fromarray(values), "TIFF")))
    assert found.min() == 0
    assert found.max() == 255


def test_numbers_without_a_range_are_stretched() -> None:
    values = np.linspace(-2, 3, 64).reshape(8, 8).astype(np.float32)
    values[0, 1] = np.nan
    found = np.asarray(decode(save(Image.fromarray(values), "TIFF")))
    assert (found.min(), found.max()) == (0, 255)


def test_the_first_picture_of_several_is_read() -> None:
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green")]
    for form in ("GIF", "TIFF", "WEBP"):
        data = save(pages[0], form, save_all=True, append_images=pages[1:])
        red, green, _ = decode(data).getpixel((4, 4))  # type: ignore[misc]
        assert (red > 200, green < 50) == (True, True)


@pytest.mark.parametrize("what", MISTAKES)
def test_what_is_no_picture_is_named(what: str) -> None:
    with pytest.raises(UnreadableSample, match=what) as refusal:
        decode(MISTAKES[what])
    assert str(refusal.value).endswith(".")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    tracemalloc.start()
    with pytest.raises(UnreadableSample, match="at most 100 million"):
        decode(bomb_png())
    with pytest.raises(UnreadableSample, match="at most 100 million"):
        decode(bomb_png(width=11_000, height=10_000))
    with pytest.raises(UnreadableSample):
        decode(text_bomb_png())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000


def test_the_limit_can_be_lower() -> None:
    with pytest.raises(UnreadableSample, match="96 x 96"):
        decode(cell_png(), max_pixels=9000)


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_cut_off_anywhere_is_refused_or_whole(form: str) -> None:
    data = FORMS[form]
    for part in range(0, len(data), max(1, len(data) // 40)):
        try:
            found = decode(data[:part])
        except UnreadableSample:
            continue
        assert found.size == PICTURE.size


SMALL = every_form(cell(seed=5, side_px=16))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    form=st.sampled_from(sorted(SMALL)),
    damage=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    ),
)
def test_damaged_bytes_raise_nothing_but_our_own_error(
    form: str, damage: list[tuple[float, int]]
) -> None:
    data = bytearray(SMALL[form])
    for place, value in damage:
        data[int(place * len(data))] = value
    with suppress(UnreadableSample):
        assert decode(bytes(data), max_pixels=1_000_000).mode == "RGB"


@settings(max_examples=200, deadline=None)
@given(start=st.sampled_from([data[:12] for data in SMALL.values()]), rest=st.binary(max_size=400))
def test_hostile_bytes_raise_nothing_but_our_own_error(start: bytes, rest: bytes) -> None:
    for data in (start + rest, rest):
        with suppress(UnreadableSample):
            assert decode(data, max_pixels=1_000_000).mode == "RGB"


def test_pages_get_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Erika Mustermann 1961-04-02"
    data = save(
        PICTURE, "JPEG", exif=exif, comment=b"Erika Mustermann", icc_profile=b"Mustermann" * 20
    )
    assert b"Mustermann" in data
    for shown in (thumbnail(data), display(data)):
        picture = Image.open(BytesIO(shown))
        assert picture.format == "WEBP"
        assert not picture.getexif()
        assert "icc_profile" not in picture.info
        assert b"Mustermann" not in shown


def test_a_cell_is_displayed_without_loss_and_a_thumbnail_is_small() -> None:
    shown = Image.open(BytesIO(display(as_png(PICTURE)))).convert("RGB")
    assert np.array_equal(np.asarray(shown), np.asarray(PICTURE))
    wide = Image.new("RGB", (3000, 30), "white")
    assert Image.open(BytesIO(thumbnail(as_png(wide)))).size == (160, 2)
    assert Image.open(BytesIO(display(as_png(wide), max_side_px=1000))).size == (1000, 10)
