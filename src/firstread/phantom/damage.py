"""Damage a phantom the way pictures come out spoiled: blurred, dark, bright, empty."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from firstread.domain.errors import FirstreadError
from firstread.phantom.making import Phantom, as_png, make


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(image.width / 16))


def _dark(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(0.08)


def _bright(image: Image.Image) -> Image.Image:
    return Image.blend(image, Image.new("RGB", image.size, (255, 255, 255)), 0.97)


def _empty(image: Image.Image) -> Image.Image:
    corner = np.asarray(image)[:4, :4].reshape(-1, 3).mean(axis=0)
    return Image.new("RGB", image.size, tuple(int(v) for v in corner))


DAMAGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "blurred": _blurred,
    "dark": _dark,
    "bright": _bright,
    "empty": _empty,
}


def damaged(
    kind: str, *, check: str = "leukaemia", label: str | None = None, seed: int = 0
) -> Phantom:
    """A phantom that no model may read: `kind` is one of DAMAGES."""
    if kind not in DAMAGES:
        raise FirstreadError(
            f"There is no damage called '{kind}'. There are: {', '.join(DAMAGES)}."
        )
    phantom = make(check, label=label, seed=seed)
    with Image.open(io.BytesIO(phantom.png)) as image:
        spoiled = DAMAGES[kind](image.convert("RGB"))
    return Phantom(
        check=check, label=phantom.label, seed=seed, data=as_png(np.asarray(spoiled, np.uint8))
    )
