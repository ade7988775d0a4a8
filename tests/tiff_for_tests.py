"""TIFF files of forms that Pillow does not write, made by hand."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np


def tiff(
    numbers: np.ndarray[Any, Any],
    *,
    photometric: int = 1,
    order: str = "<",
    more: Mapping[int, int] | None = None,
) -> bytes:
    """An uncompressed TIFF of one page, [H, W] or [H, W, C]; `more` are tags of 16 or 32 bits."""
    height, width = numbers.shape[:2]
    samples = 1 if numbers.ndim == 2 else numbers.shape[2]
    bits = 8 * numbers.dtype.itemsize
    form = {"u": 1, "i": 2, "f": 3}[numbers.dtype.kind]
    data = numbers.astype(numbers.dtype.newbyteorder(order)).tobytes()
    tags: dict[int, tuple[int, ...]] = {
        256: (width,), 257: (height,), 258: (bits,) * samples, 259: (1,), 262: (photometric,),
        273: (0,), 277: (samples,), 278: (height,), 279: (len(data),), 339: (form,) * samples,
        **{tag: (value,) for tag, value in (more or {}).items()},
    }  # fmt: skip
    longs = (256, 257, 273, 278, 279, 254)
    behind = 8 + 2 + 12 * len(tags) + 4
    far = b""
    for tag, values in tags.items():
        if len(values) > 2 and tag not in longs:
            far += struct.pack(f"{order}{len(values)}H", *values)
    entries, at = b"", behind
    tags[273] = (behind + len(far),)
    for tag, values in sorted(tags.items()):
        letter, kind = ("I", 4) if tag in longs else ("H", 3)
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(packed) > 4:
            packed, at = struct.pack(order + "I", at), at + len(packed)
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    begin = b"II*\0" if order == "<" else b"MM\0*"
    head = begin + struct.pack(order + "IH", 8, len(tags))
    return head + entries + bytes(4) + far + data
