"""What every decoder needs: memory that is asked for beforehand, and grey levels of any numbers."""

MAX_PIXELS = 100_000_000
"""More is refused before it is unpacked; 100 million pixels are 300 MB in memory."""

_UNPACKED_FREELY = 64 << 20
_UNPACKED_TIMES = 100


def is_bomb(*, unpacked_bytes: float, packed_bytes: int) -> bool:
    """Whether so much comes out of so little that the file was made to fill memory.

    No large picture or recording of anything shrinks to a hundredth; blank ones do.

    >>> is_bomb(unpacked_bytes=300e6, packed_bytes=4_000_000)
    False
    >>> is_bomb(unpacked_bytes=300e6, packed_bytes=11_000)
    True
    """
    return unpacked_bytes > max(_UNPACKED_FREELY, _UNPACKED_TIMES * packed_bytes)
