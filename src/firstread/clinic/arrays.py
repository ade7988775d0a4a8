"""Evidence maps as they lie in a row: compressed float16."""

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
