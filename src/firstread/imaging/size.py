"""How large a picture is when it stands upright, without unpacking it."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from firstread.imaging.decode import FORMATS

_ORIENTATION = 0x0112
_LYING = {5, 6, 7, 8}


def upright_size_px(data: bytes) -> tuple[int, int]:
    """Width and height of a picture that `decode` opens.

    >>> out = BytesIO()
    >>> Image.new("RGB", (3, 2)).save(out, format="PNG")
    >>> upright_size_px(out.getvalue())
    (3, 2)
    """
    with Image.open(BytesIO(data), formats=FORMATS) as picture:
        width, height = picture.size
        try:
            lying = picture.getexif().get(_ORIENTATION) in _LYING
        except (OSError, SyntaxError, ValueError, TypeError, LookupError):
            lying = False  # `decode` takes a damaged note for none as well
    return (height, width) if lying else (width, height)
