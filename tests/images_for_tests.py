"""Drawn pictures of every form that Firstread opens, and of some that it must refuse."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_STAINS = {
    "red": (190, 40, 50),
    "green": (50, 170, 60),
    "blue": (40, 60, 190),
}


def cell(colour: str = "red", *, seed: int = 1, side_px: int = 96) -> Image.Image:
    """A round cell in that colour on a pale ground of the same hue, with a little noise."""
    rng = np.random.default_rng(seed)
    stain = np.array(_STAINS[colour])
    ground = tuple(int(each) for each in 255 - (255 - stain) * 0.35)
    picture = Image.new("RGB", (side_px, side_px), ground)
    draw = ImageDraw.Draw(picture)
    x, y = (side_px / 2 + rng.uniform(-0.08, 0.08, size=2) * side_px).tolist()
    radius = side_px * rng.uniform(0.3, 0.36)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tuple(stain.tolist()))
    inner = radius * rng.uniform(0.45, 0.6)
    dark = tuple((stain * 0.7).astype(int).tolist())
    draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill=dark)
    noise = rng.normal(0, 5, size=(side_px, side_px, 3))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def cell_png(colour: str = "red", *, seed: int = 1, side_px: int = 96) -> bytes:
    """The bytes of a PNG of such a cell; another seed gives other bytes."""
    return as_png(cell(colour, seed=seed, side_px=side_px))


def blurred_png(colour: str = "red", *, seed: int = 1) -> bytes:
    """A cell far out of focus, which the test pack finds unfit."""
    return as_png(cell(colour, seed=seed).filter(ImageFilter.GaussianBlur(12)))


def yellow_png() -> bytes:
    """A picture that is no cell, of another kind than what the test pack reads."""
    pixels = np.zeros((96, 96, 3), dtype=np.uint8)
    pixels[..., :2] = np.random.default_rng(1).integers(120, 220, (96, 96, 1))
    return as_png(Image.fromarray(pixels))


def as_png(picture: Image.Image) -> bytes:
    return save(picture, "PNG")


def save(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, format=form, **options)
    return out.getvalue()


def every_form(picture: Image.Image) -> dict[str, bytes]:
    """The same picture in each form that laboratories and phones send."""
    grey = picture.convert("L")
    sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = picture.transpose(Image.Transpose.ROTATE_90)
    return {
        "png": save(picture, "PNG"),
        "png with alpha": save(picture.convert("RGBA"), "PNG"),
        "png palette": save(picture.quantize(256), "PNG"),
        "png interlaced": save(picture, "PNG", interlace=1),
        "jpeg": save(picture, "JPEG", quality=95),
        "jpeg progressive": save(picture, "JPEG", quality=95, progressive=True),
        "jpeg cmyk": save(picture.convert("CMYK"), "JPEG", quality=95),
        "jpeg turned": save(turned, "JPEG", quality=95, exif=exif),
        "tiff": save(picture, "TIFF"),
        "tiff lzw": save(picture, "TIFF", compression="tiff_lzw"),
        "tiff palette": save(picture.quantize(256), "TIFF"),
        "bmp": save(picture, "BMP"),
        "webp": save(picture, "WEBP", quality=95),
        "webp lossless": save(picture, "WEBP", lossless=True),
        "gif": save(picture.quantize(256), "GIF"),
        "grey png": save(grey, "PNG"),
        "grey tiff 16": save(sixteen, "TIFF"),
        "grey png 16": save(sixteen, "PNG"),
        "grey jpeg": save(grey, "JPEG", quality=95),
    }


def bomb_png(*, width: int = 60_000, height: int = 60_000) -> bytes:
    """A small PNG that claims billions of pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def text_bomb_png() -> bytes:
    """A PNG whose compressed note unpacks to 200 MB."""
    whole = cell_png()
    squeezer = zlib.compressobj(9)
    note = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(200)) + squeezer.flush()
    return whole[:33] + chunk(b"zTXt", b"note\0\0" + note) + whole[33:]


def not_pictures() -> dict[str, bytes]:
    """What people send by mistake; the key is what the sentence must say it is."""
    return {
        "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
        "ZIP": b"PK\x03\x04" + bytes(40),
        "web page": b"<!DOCTYPE html><html><body>Not found</body></html>",
        "DICOM": bytes(128) + b"DICM" + bytes(200),
        "text": b"865102 lymphocytes 32 %\n",
        "JSON": b'{"check": "leukaemia"}',
        "HEIC": b"\x00\x00\x00\x18ftypheic" + bytes(30),
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        "empty": b"",
        "cut off": cell_png()[:900],
    }


def chunk(name: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + check
