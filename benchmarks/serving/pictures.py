"""The two pictures that are sent: drawn, so that they belong to nobody, and of the stated sizes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from firstread import phantom

SMALL_BYTES = 16_000
LARGE_BYTES = 1_100_000


def small() -> bytes:
    """A JPEG of 257x257 pixels and about 16 KB: one cell, as AllDS2020's client sends it."""
    photograph = _photographed(_cell(3), size=(257, 257))
    return _jpeg(photograph, target_bytes=SMALL_BYTES, colours="4:2:0")


def large() -> bytes:
    """A JPEG of 2592x1944 pixels and about 1.1 MB: a whole field, of the size of a picture of
    ALL-IDB1, with colours at half the width (4:2:2), as compact cameras write them."""
    columns, rows = 12, 9
    field = Image.new("RGB", (columns * 144, rows * 144))
    cells = [_cell(seed) for seed in range(20)]
    for row in range(rows):
        for column in range(columns):
            cell = cells[(row * 7 + column * 3) % len(cells)]
            field.paste(cell, (column * 144, row * 144))
    photograph = _photographed(field, size=(2592, 1944))
    return _jpeg(photograph, target_bytes=LARGE_BYTES, colours="4:2:2")


def _cell(seed: int) -> Image.Image:
    return Image.open(BytesIO(phantom.make("leukaemia", seed=seed).png)).convert("RGB")


def _photographed(picture: Image.Image, *, size: tuple[int, int]) -> Image.Image:
    """As a camera gives it: larger, with a little noise."""
    noise = np.random.default_rng(1).normal(0, 3, size=(size[1], size[0], 3))
    pixels = np.asarray(picture.resize(size, Image.Resampling.BICUBIC)) + noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _jpeg(picture: Image.Image, *, target_bytes: int, colours: str) -> bytes:
    """The JPEG whose length comes nearest to `target_bytes`."""
    low, high = 30, 98
    while high - low > 1:
        middle = (low + high) // 2
        fits = len(_saved(picture, quality=middle, colours=colours)) < target_bytes
        low, high = (middle, high) if fits else (low, middle)
    return min(
        (_saved(picture, quality=each, colours=colours) for each in (low, high)),
        key=lambda data: abs(len(data) - target_bytes),
    )


def _saved(picture: Image.Image, *, quality: int, colours: str) -> bytes:
    out = BytesIO()
    picture.save(out, format="JPEG", quality=quality, subsampling=colours)
    return out.getvalue()
