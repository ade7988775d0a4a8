"""How large a WebP says it is: its decoder takes memory for all of it as soon as it is opened."""

from __future__ import annotations

_BYTES_OF_PIXEL = 8
"""Of the decoder: the frame, and the one before it."""


def canvas_bytes(data: bytes) -> int:
    """The memory that opening a WebP takes; 0 where the bytes are none (RFC 9649, 2.3 to 2.7).

    >>> canvas_bytes(b"RIFF....WEBPVP8X....." + bytes(3) + b"\\x01\\0\\0\\x02\\0\\0")
    48
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return 0
    form = data[12:16]
    if form == b"VP8X":
        width, height = 1 + _number(data[24:27]), 1 + _number(data[27:30])
    elif form == b"VP8L":
        both = _number(data[21:25])
        width, height = 1 + (both & 0x3FFF), 1 + (both >> 14 & 0x3FFF)
    else:
        width, height = _number(data[26:28]) & 0x3FFF, _number(data[28:30]) & 0x3FFF
    return width * height * _BYTES_OF_PIXEL


def _number(part: bytes) -> int:
    return int.from_bytes(part, "little")
