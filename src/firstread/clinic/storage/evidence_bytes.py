"""Evidence as it lies in a row: maps in compressed float16, along a trace in bytes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray


def pack_array(array: NDArray[np.float32]) -> bytes:
    """The array as bytes; half precision is more than an overlay shows."""
    out = BytesIO()
    largest = np.finfo(np.float16).max
    np.savez_compressed(out, evidence=array.clip(-largest, largest).astype(np.float16))
    return out.getvalue()


def unpack_array(data: bytes) -> NDArray[np.float32]:
    """The array that `pack_array` made into bytes."""
    with np.load(BytesIO(data), allow_pickle=False) as kept:
        return np.asarray(kept["evidence"], dtype=np.float32)


def pack_stretches(array: NDArray[np.float32]) -> bytes:
    """Evidence along each beat [B, t] as bytes: what speaks for the label, from none to the most.

    A day has 100,000 beats, and a band under a line shows no more steps than these.
    """
    for_it = np.nan_to_num(array).clip(0, None)
    # Of a few wild beats the most is not the measure for all others.
    most = float(np.percentile(for_it.max(axis=1), 98)) if for_it.size else 0.0
    out = BytesIO()
    steps = np.rint(for_it / max(most, 1e-9) * 255).clip(0, 255).astype(np.uint8)
    np.savez_compressed(out, evidence=steps)
    return out.getvalue()


def unpack_stretches(data: bytes) -> NDArray[np.uint8]:
    """The steps [B, t] that `pack_stretches` made into bytes."""
    with np.load(BytesIO(data), allow_pickle=False) as kept:
        return np.asarray(kept["evidence"], dtype=np.uint8)
