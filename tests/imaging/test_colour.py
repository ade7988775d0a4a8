"""Colours are shown as the file means them: by its profile, its gamma and its transparency."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from firstread.imaging import decode
from firstread.imaging.colour import CLEAR_ALL_OVER, DAMAGED_PROFILE, OTHER_PRIMARIES, OTHER_SPACE
from firstread.imaging.decode import decode_small
from tests.images_for_tests import as_png, cell, chunk, save

PICTURE = cell(side_px=80)
PIXELS = np.asarray(PICTURE)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def notes(data: bytes) -> tuple[str, ...]:
    return decode_small(data, shrinks=lambda _width, _height: 1.0).notes


def other_primaries() -> bytes:
    """sRGB with its red and green exchanged: what it says red is, was green."""
    return SRGB.replace(b"rXYZ", b"aXYZ").replace(b"gXYZ", b"rXYZ").replace(b"aXYZ", b"gXYZ")


def darker() -> bytes:
    """A grey profile with a gamma of 3."""
    data = bytearray(128 + 4 + 3 * 12)
    parts = {b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)}
    parts[b"kTRC"] = b"curv\0\0\0\0" + struct.pack(">IH", 1, 3 * 256) + b"\0\0"
    text = b"drawn\0"
    parts[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    data[128:132] = struct.pack(">I", len(parts))
    for place, (name, body) in enumerate(parts.items()):
        at = 132 + 12 * place
        data[at : at + 12] = name + struct.pack(">II", len(data), len(body))
        data += body + bytes(-len(body) % 4)
    data[0:4] = struct.pack(">I", len(data))
    data[8:12], data[12:24], data[36:40] = b"\x02\x40\0\0", b"mntrGRAYXYZ ", b"acsp"
    data[68:80] = struct.pack(">iii", 63190, 65536, 54061)
    return bytes(data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_profile_is_applied_and_that_of_srgb_changes_nothing(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    plain = np.asarray(decode(save(PICTURE, form, **options)))
    same = save(PICTURE, form, icc_profile=SRGB, **options)
    assert np.array_equal(np.asarray(decode(same)), plain)
    assert notes(same) == ()
    other = save(PICTURE, form, icc_profile=other_primaries(), **options)
    found = np.asarray(decode(other)).astype(int)
    assert np.abs(found - plain[..., [1, 0, 2]]).mean() < 1.5


def test_a_grey_profile_is_applied_and_greys_may_have_one_of_colours() -> None:
    grey = PICTURE.convert("L")
    plain = np.asarray(grey).astype(int)
    shown = np.asarray(decode(save(grey, "PNG", icc_profile=darker())))[..., 0].astype(int)
    assert (plain - shown).mean() > 15
    assert np.array_equal(np.asarray(decode(save(grey, "PNG", icc_profile=SRGB)))[..., 0], plain)


def test_a_profile_that_cannot_be_applied_is_passed_over_and_told() -> None:
    for profile, said in ((b"no profile", DAMAGED_PROFILE), (darker(), OTHER_SPACE)):
        data = save(PICTURE, "JPEG", icc_profile=profile)
        assert notes(data) == (said,)
        assert np.array_equal(np.asarray(decode(data)), np.asarray(decode(save(PICTURE, "JPEG"))))


def with_chunks(data: bytes, *more: tuple[bytes, bytes]) -> bytes:
    return data[:33] + b"".join(chunk(*each) for each in more) + data[33:]


@pytest.mark.parametrize("gamma", [1.0, 0.7, 0.3])
def test_the_gamma_of_a_png_is_applied(gamma: float) -> None:
    data = with_chunks(as_png(PICTURE), (b"gAMA", struct.pack(">I", round(gamma * 100_000))))
    wanted = np.rint(255 * (PIXELS / 255) ** (1 / (2.2 * gamma)))
    assert np.abs(np.asarray(decode(data)) - wanted).max() <= 1


@pytest.mark.parametrize(
    "more",
    [
        [(b"gAMA", struct.pack(">I", 45_455))],
        [(b"gAMA", struct.pack(">I", 0))],
        [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))],
    ],
)
def test_a_usual_gamma_and_the_sign_of_srgb_change_nothing(more: list[tuple[bytes, bytes]]) -> None:
    assert np.array_equal(np.asarray(decode(with_chunks(as_png(PICTURE), *more))), PIXELS)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_a_picture_that_is_transparent_all_over_is_shown(form: str) -> None:
    clear = PICTURE.copy()
    clear.putalpha(0)
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    data = save(clear, form, **options)
    assert np.array_equal(np.asarray(decode(data)), PIXELS)
    assert notes(data) == (CLEAR_ALL_OVER,)


def test_a_palette_with_a_transparent_colour_lies_on_white() -> None:
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 200, 10, 10] + [0] * 762)
    picture.putpixel((0, 0), 0)
    found = decode(save(picture, "PNG", transparency=0))
    assert (found.getpixel((0, 0)), found.getpixel((3, 3))) == ((255, 255, 255), (200, 10, 10))


def test_lab_and_cmyk_become_what_they_mean() -> None:
    lab = ImageCms.profileToProfile(
        PICTURE, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    lab.info.pop("icc_profile", None)
    found = np.asarray(decode(save(lab, "TIFF"))).astype(int)
    assert np.abs(found - PIXELS).mean() < 3
    cmyk = decode(save(PICTURE.convert("CMYK"), "TIFF"))
    assert np.abs(np.asarray(cmyk).astype(int) - PIXELS).mean() < 2


def test_no_profile_travels_on() -> None:
    from firstread.imaging import display

    shown = Image.open(BytesIO(display(save(PICTURE, "PNG", icc_profile=other_primaries()))))
    assert "icc_profile" not in shown.info


def test_other_primaries_without_a_profile_are_told() -> None:
    wide = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    usual = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    assert notes(with_chunks(as_png(PICTURE), (b"cHRM", wide))) == (OTHER_PRIMARIES,)
    assert notes(with_chunks(as_png(PICTURE), (b"cHRM", usual))) == ()
