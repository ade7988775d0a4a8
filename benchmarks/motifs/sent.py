"""A picture as clinics send it: shrunk, grey, saved again, cropped, too dark, out of focus."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

SIDE_PX = 128
"""Larger ones are kept at this: the network of `motifs` sees 64 pixels."""


def as_sent(picture: Image.Image, rng: np.random.Generator, *, crops: bool = True) -> bytes:
    """The picture changed by chance, as bytes; one in three is left as it is."""
    image = picture.convert("RGB")
    if rng.random() < 0.67:
        image = _cropped(image, rng) if crops and rng.random() < 0.4 else image
        image = _changed(_small(image, SIDE_PX), rng)
    else:
        image = _small(image, SIDE_PX)
    kept = io.BytesIO()
    if rng.random() < 0.4:
        image.save(kept, format="JPEG", quality=int(rng.integers(12, 90)))
    else:
        image.save(kept, format="PNG")
    return kept.getvalue()


def _changed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    if rng.random() < 0.3:
        image = _small(image, int(rng.integers(24, 72)))
    if rng.random() < 0.2:
        image = image.convert("L").convert("RGB")
    chance = rng.random()
    if chance < 0.15:
        image = ImageEnhance.Brightness(image).enhance(float(rng.uniform(0.25, 0.7)))
    elif chance < 0.3:
        image = ImageEnhance.Brightness(image).enhance(float(rng.uniform(1.2, 1.8)))
    elif chance < 0.4:
        image = ImageEnhance.Contrast(image).enhance(float(rng.uniform(0.3, 0.7)))
    if rng.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(max(image.size) * rng.uniform(0.008, 0.03)))
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(4, 30), (image.height, image.width, 3))
        noisy = np.clip(np.asarray(image, dtype=np.float64) + noise, 0, 255)
        image = Image.fromarray(noisy.astype(np.uint8))
    if rng.random() < 0.15:
        channels = np.asarray(image, dtype=np.float64) * rng.uniform(0.8, 1.2, 3)
        image = Image.fromarray(np.clip(channels, 0, 255).astype(np.uint8))
    return image


def _small(image: Image.Image, side_px: int) -> Image.Image:
    """With its shorter side no longer than that."""
    factor = side_px / min(image.size)
    if factor >= 1:
        return image
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX)


def _cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Up to an eighth is cut off at each side."""
    left, top, right, bottom = rng.uniform(0, 0.125, 4)
    width, height = image.size
    return image.crop(
        (
            int(left * width), int(top * height),
            max(int(left * width) + 1, int((1 - right) * width)),
            max(int(top * height) + 1, int((1 - bottom) * height)),
        )
    )  # fmt: skip
