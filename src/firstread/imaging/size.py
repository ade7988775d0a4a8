"""How large a picture is when it stands upright, without unpacking it."""

from __future__ import annotations

from firstread.decoding import MAX_PIXELS
from firstread.dicom.pixels import header_of, is_dicom
from firstread.imaging.decode import lies_on_its_side
from firstread.imaging.open_file import opened


def upright_size_px(data: bytes) -> tuple[int, int]:
    """Width and height of a picture that `decode` opens.

    >>> from io import BytesIO
    >>> from PIL import Image
    >>> out = BytesIO()
    >>> Image.new("RGB", (3, 2)).save(out, format="PNG")
    >>> upright_size_px(out.getvalue())
    (3, 2)
    """
    if is_dicom(data):
        header = header_of(data)
        return header.width_px, header.height_px
    picture = opened(data, max_pixels=MAX_PIXELS).image
    width, height = picture.size
    return (height, width) if lies_on_its_side(picture) else (width, height)
