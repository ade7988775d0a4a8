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
from firstread.imaging.decode import decode_small
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


JPEGS = [form for form in FORMS if "jpeg" in form]


@pytest.mark.parametrize("form", JPEGS)
@pytest.mark.parametrize(("shrinks", "factor"), [(1.9, 1), (2.0, 2), (7.9, 4), (8.0, 8), (99.0, 8)])
def test_a_jpeg_is_decoded_at_the_least_size_that_is_enough(
    form: str, shrinks: float, factor: int
) -> None:
    found = decode_small(FORMS[form], shrinks=lambda _width, _height: shrinks)
    assert found.image.mode == "RGB"
    assert found.size_px == PICTURE.size
    assert found.image.size == (64 // factor, 64 // factor)
    plain = decode(FORMS[form]).reduce(factor)
    apart = np.abs(np.asarray(found.image, dtype=float) - np.asarray(plain, dtype=float))
    assert apart.mean() < 2.5


@pytest.mark.parametrize("form", [form for form in FORMS if form not in JPEGS])
def test_what_is_no_jpeg_is_decoded_whole(form: str) -> None:
    found = decode_small(FORMS[form], shrinks=lambda _width, _height: 8.0)
    assert np.array_equal(np.asarray(found.image), np.asarray(decode(FORMS[form])))
    assert found.box == (0, 0, *found.image.size)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("factor", [2, 4, 8])
def test_a_part_of_a_pixel_stays_at_its_edge_however_the_picture_is_turned(
    factor: int, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    across = np.linspace(0, 255, 3 * 67).reshape(67, 3)  # brighter to the right in every row
    picture = Image.fromarray(np.tile(across[None], (45, 1, 1)).astype(np.uint8))
    data = save(picture, "JPEG", quality=95, subsampling=0, exif=exif)
    asked: list[tuple[int, int]] = []

    def shrinks(width: int, height: int) -> float:
        asked.append((width, height))
        return float(factor)

    whole, found = decode(data), decode_small(data, shrinks=shrinks)
    assert asked == [whole.size] == [found.size_px]
    left, top, right, bottom = found.box
    assert (right - left, bottom - top) == (whole.width / factor, whole.height / factor)
    assert 0 <= left <= right <= found.image.width
    assert 0 <= top <= bottom <= found.image.height
    plain = whole.resize((2, 2), Image.Resampling.BILINEAR)
    apart = [
        np.abs(np.asarray(small, dtype=float) - np.asarray(plain, dtype=float)).mean()
        for small in (
            found.image.resize((2, 2), Image.Resampling.BILINEAR, box=found.box),
            found.image.resize((2, 2), Image.Resampling.BILINEAR),
        )
    ]
    assert apart[0] * 2.5 < apart[1]


SMALL_JPEGS = {form: data for form, data in SMALL.items() if "jpeg" in form}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    form=st.sampled_from(sorted(SMALL_JPEGS)),
    end=st.floats(0.2, 1),
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    shrinks=st.sampled_from([2.0, 4.0, 8.0, float("inf")]),
)
def test_a_damaged_jpeg_is_refused_small_where_it_is_refused_whole(
    form: str, end: float, damage: list[tuple[float, int]], shrinks: float
) -> None:
    data = bytearray(SMALL_JPEGS[form][: int(end * len(SMALL_JPEGS[form]))])
    for place, value in damage:
        data[int(place * len(data))] = value
    found = []
    for by in (1.0, shrinks):
        try:
            small = decode_small(bytes(data), shrinks=lambda _w, _h, by=by: by, max_pixels=10**6)
            found.append(str(small.size_px))
        except UnreadableSample as refusal:
            found.append(str(refusal))
    assert found[0] == found[1]


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
