"""Colours as the file means them: its profile or gamma is applied, and what is clear is white."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

_LARGEST_PROFILE = 4 << 20
_SHOWN_AT = 2.2
"""The exponent of a display, by which a PNG's gamma is judged (PNG specification, 13.13)."""
_NO_GAMMA = 0.05
"""So near to one an exponent changes nothing that anybody sees; libpng passes over the same."""
_SAME = 2
"""A profile that moves no colour by more levels is sRGB in other words, and changes nothing."""
_CLEAR = ("RGBA", "LA", "PA", "RGBa", "La")
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
"""Colour spaces of profiles, and the modes that they are of."""

_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""White, red, green and blue of sRGB, as x and y."""
_SAME_PRIMARIES = 0.01

OTHER_PRIMARIES = "Its primary colours (cHRM) are not those of sRGB, and were passed over."
OTHER_SPACE = "Its colour profile is of another colour space, and was passed over."
DAMAGED_PROFILE = "Its colour profile is damaged, and was passed over."
NO_LIBRARY = "Its colour profile was passed over: this Pillow was built without LittleCMS."
CLEAR_ALL_OVER = "It is transparent all over: its colours are shown, and its transparency is not."


@dataclass(frozen=True, kw_only=True, eq=False)
class Coloured:
    """A picture in RGB, and what was passed over on the way."""

    image: Image.Image
    notes: tuple[str, ...] = ()


def exponent_of(info: dict[Any, Any]) -> float:
    """What a share of the light is raised to, by a PNG's gamma; 1 where it says nothing.

    A profile, and the sign that the picture is sRGB, count more.

    >>> round(exponent_of({"gamma": 1.0}), 3), exponent_of({"gamma": 0.45455})
    (0.455, 1.0)
    """
    gamma = info.get("gamma")
    if not gamma or "srgb" in info or "icc_profile" in info:
        return 1.0
    exponent = 1 / (float(gamma) * _SHOWN_AT)
    return 1.0 if abs(exponent - 1) < _NO_GAMMA else exponent


def primaries_passed_over(info: dict[Any, Any]) -> tuple[str, ...]:
    """A sentence where a PNG names other primaries than sRGB's, and no profile."""
    named = info.get("chromaticity")
    if not named or "srgb" in info or info.get("icc_profile"):
        return ()
    apart = max(abs(one - other) for one, other in zip(named, _PRIMARIES, strict=False))
    return () if apart < _SAME_PRIMARIES else (OTHER_PRIMARIES,)


def coloured(picture: Image.Image, *, exponent: float) -> Coloured:
    """A decoded picture of eight bits in sRGB, laid onto white."""
    profile = picture.info.get("icc_profile")
    clear = picture.mode in _CLEAR or "transparency" in picture.info
    if not profile and exponent == 1.0 and not clear and picture.mode != "LAB":
        return Coloured(image=picture if picture.mode == "RGB" else picture.convert("RGB"))
    if picture.mode == "La":
        picture = picture.convert("LA")
    alpha = picture.convert("RGBA").getchannel("A") if clear else None
    plain = _without_alpha(picture) if clear else picture
    image, notes = _in_srgb(plain, profile)
    if exponent != 1.0:
        table = [round(255 * (level / 255) ** exponent) for level in range(256)]
        image = image.point(table * 3)
    return Coloured(image=image, notes=notes) if alpha is None else _on_white(image, alpha, notes)


def _without_alpha(picture: Image.Image) -> Image.Image:
    """Its colours alone; those that were multiplied by their alpha as they were before."""
    if picture.mode in ("L", "1", "LA"):
        return picture.convert("L")
    return picture.convert("RGBA").convert("RGB")


def _on_white(image: Image.Image, alpha: Image.Image, notes: tuple[str, ...]) -> Coloured:
    if not alpha.getbbox() and len(image.getcolors(1) or ()) != 1:
        # Programs that know nothing of alpha leave it zero; nobody sends a picture to hide it.
        return Coloured(image=image, notes=(*notes, CLEAR_ALL_OVER))
    rgba = image.convert("RGBA")
    rgba.putalpha(alpha)
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return Coloured(image=Image.alpha_composite(white, rgba).convert("RGB"), notes=notes)


def _in_srgb(picture: Image.Image, profile: Any) -> tuple[Image.Image, tuple[str, ...]]:
    if picture.mode in ("P", "1", "YCbCr"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    if not isinstance(profile, bytes) or not profile:
        return _plain(picture), ()
    transform = _transform(profile, picture.mode)
    if transform == OTHER_SPACE and picture.mode == "L":
        picture = picture.convert("RGB")  # programs give greys the profile of their colours
        transform = _transform(profile, "RGB")
    if isinstance(transform, str):
        return _plain(picture), (transform,)
    return (_plain(picture) if transform is None else transform.apply(picture)), ()


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode != "LAB":
        return picture.convert("RGB")
    return _lab().apply(picture)


@lru_cache(maxsize=1)
def _lab() -> ImageCmsTransform:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.ImageCmsTransform(
        ImageCms.ImageCmsProfile(lab), ImageCms.ImageCmsProfile(srgb), "LAB", "RGB"
    )


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCmsTransform | str | None:
    """To sRGB; None where that changes nothing, a sentence where it cannot be done."""
    if len(profile) > _LARGEST_PROFILE:
        return DAMAGED_PROFILE
    try:
        from PIL import ImageCms

        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _SPACES.get(given.profile.xcolor_space) != mode:
            return OTHER_SPACE
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        transform = ImageCms.ImageCmsTransform(given, srgb, mode, "RGB")
        return None if _changes_nothing(transform, mode) else transform
    except ImportError:
        return NO_LIBRARY
    except (OSError, ValueError, TypeError):
        return DAMAGED_PROFILE


def _changes_nothing(transform: ImageCmsTransform, mode: str) -> bool:
    """Whether the transform leaves all of a few hundred colours as they are shown without it."""
    if mode == "CMYK":
        return False
    levels = np.linspace(0, 255, 7).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(7, 49, 3)
    sample = Image.fromarray(grid).convert(mode)
    apart = np.asarray(transform.apply(sample), int) - np.asarray(sample.convert("RGB"), int)
    return bool(np.abs(apart).max() <= _SAME)
