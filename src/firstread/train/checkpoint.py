"""The checkpoint of a run: written whole or not at all, and opened only if every byte is as it was
written."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from firstread.files.whole import whole

# What zipfile and torch raise when bytes are not what they should be: any of these.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, pickle.UnpicklingError, EOFError, ValueError,
    KeyError, IndexError, TypeError, AttributeError, OverflowError, NotImplementedError,
    RuntimeError, OSError,
)  # fmt: skip


def samples_of(*arrays: Iterable[NDArray[Any]]) -> str:
    """The hash of what a network learns from and is watched on, array by array.

    >>> samples_of(np.zeros((2, 3))) == samples_of(np.zeros((3, 2))) == samples_of(np.ones((2, 3)))
    False
    """
    digest = hashlib.sha256()
    for array in arrays:
        for each in array:
            digest.update(f"{each.dtype} {each.shape} ".encode())
            digest.update(np.ascontiguousarray(each).tobytes())
    return digest.hexdigest()


def keep(state: dict[str, Any], path: Path, *, samples: str) -> None:
    """Write the state beside the last one, and put it in its place; `samples` is what it learnt
    from, see `samples_of`.

    Raises OSError, with the path, where the disk does not take it; the last one is then still
    whole.
    """
    made = io.BytesIO()
    torch.save(state | {"samples": samples}, made)
    try:
        with whole(path, lasting=True, beside=path.with_suffix(".part")) as file:
            file.write(made.getbuffer())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def resume(path: Path, *, samples: str, say: Callable[[str], None]) -> dict[str, Any] | None:
    """The state that was kept, on the processor; None where there is none that can be trusted.

    A damaged one, or one that learnt from other samples, is set aside and told of: training then
    starts again, which costs time but never the result. Nothing but tensors and plain values is
    read from it.
    """
    if not path.is_file():
        return None
    state = _opened(path) if _is_whole(path) else None
    if state is None:
        set_aside(path, why="is damaged", say=say)
        return None
    # Those it has seen may stand in the test part now, where it would know the answers by heart.
    if state.get("samples") != samples:
        known = "samples" in state
        why = "has learnt from other samples than these" if known else "does not say what it learnt"
        set_aside(path, why=why, say=say)
        return None
    return state


def set_aside(path: Path, *, why: str, say: Callable[[str], None]) -> None:
    """Keep a checkpoint that cannot be used under another name, and say so."""
    aside = path.with_suffix(".unusable")
    path.replace(aside)
    say(f"The checkpoint {why}. It is kept as {aside.name}, and training starts again.")


def _is_whole(path: Path) -> bool:
    # torch writes a zip file with a checksum for each part of it, and does not look at them.
    try:
        with zipfile.ZipFile(path) as parts:
            return parts.testzip() is None
    except DAMAGE:
        return False


def _opened(path: Path) -> dict[str, Any] | None:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGE:
        return None
    return state if isinstance(state, dict) else None
