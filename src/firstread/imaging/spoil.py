"""Pictures the way they come out spoiled: blurred, dark, bright, grainy, in other colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]


def blurred(pixels: Pixels, *, share: float) -> Pixels:
    """Out of focus: a Gaussian whose sigma is that share of the shorter side.

    >>> int(blurred(np.eye(8, dtype=np.uint8)[..., None].repeat(3, 2) * 255, share=0.5).max()) < 128
    True
    """
    radius_px = share * min(pixels.shape[:2])
    image = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius_px))
    return np.asarray(image, dtype=np.uint8)


def lit(pixels: Pixels, *, times: float) -> Pixels:
    """With that many times the light; what is brighter than white is white.

    >>> lit(np.array([[[10, 100, 200]]], dtype=np.uint8), times=2.0).tolist()
    [[[20, 200, 255]]]
    """
    return _levels(pixels.astype(np.float32) * np.float32(times))


def grainy(pixels: Pixels, *, levels: float, seed: int) -> Pixels:
    """With noise of that many grey levels in every channel by itself."""
    noise = np.random.default_rng(seed).normal(0.0, levels, pixels.shape)
    return _levels(pixels + noise)


def hue_turned(pixels: Pixels, *, degrees: float) -> Pixels:
    """Every hue turned by so many degrees; light and strength stay."""
    hue, strength, light = Image.fromarray(pixels).convert("HSV").split()
    by = round(degrees * 256 / 360)
    turned = Image.merge("HSV", (hue.point([(h + by) % 256 for h in range(256)]), strength, light))
    return np.asarray(turned.convert("RGB"), dtype=np.uint8)


def channels_in(pixels: Pixels, *, order: tuple[int, int, int]) -> Pixels:
    """With the channels in another order: (2, 1, 0) is BGR taken for RGB."""
    return np.ascontiguousarray(pixels[..., list(order)])


def greyed(pixels: Pixels) -> Pixels:
    """Without its colours."""
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"), dtype=np.uint8)


def tinted(pixels: Pixels, *, gains: tuple[float, float, float]) -> Pixels:
    """With each channel so many times as strong, as by another lamp or stain."""
    return _levels(pixels.astype(np.float32) * np.asarray(gains, dtype=np.float32))


def magnified(pixels: Pixels, *, times: float) -> Pixels:
    """Its middle so many times as large; below 1 it is smaller, with its edges mirrored."""
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    if times >= 1.0:
        across, down = width / times / 2, height / times / 2
        box = (width / 2 - across, height / 2 - down, width / 2 + across, height / 2 + down)
        larger = image.resize((width, height), Image.Resampling.BICUBIC, box=box)
        return np.asarray(larger, dtype=np.uint8)
    size = (max(2, round(width * times)), max(2, round(height * times)))
    small = np.asarray(image.resize(size, Image.Resampling.BICUBIC), dtype=np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    around = ((top, height - size[1] - top), (left, width - size[0] - left), (0, 0))
    return np.pad(small, around, mode="symmetric")


def _levels(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)
