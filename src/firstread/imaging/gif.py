"""How many frames a GIF has, without unpacking one."""

from __future__ import annotations

MOST_COUNTED = 1000
"""Of more it is said that they are more."""
_PICTURE, _EXTENSION = 0x2C, 0x21


def frames_of(data: bytes) -> int:
    """How many frames there are, at most one more than `MOST_COUNTED`; 1 where none is found.

    >>> frames_of(b"GIF89a")
    1
    """
    frames = 0
    try:
        at = 13 + _table(data[10])
        while frames <= MOST_COUNTED:
            kind = data[at]
            if kind == _PICTURE:
                at = _behind(data, at + 11 + _table(data[at + 9]))
                frames += 1
            elif kind == _EXTENSION:
                at = _behind(data, at + 2)
            else:
                break
    except IndexError:
        pass  # cut off: what decodes it says so
    return max(1, frames)


def _table(flags: int) -> int:
    """How many bytes the colours take."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _behind(data: bytes, at: int) -> int:
    """Behind the blocks, each of which begins with its length."""
    while data[at]:
        at += data[at] + 1
    return at + 1
