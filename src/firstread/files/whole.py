"""A file is written beside its place and then renamed: it is there whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole(
    path: Path, *, private: bool = False, lasting: bool = False, beside: Path | None = None
) -> Iterator[BinaryIO]:
    """A file to write to, which stands at `path` once the block has ended well.

    `private`: for nobody else to read. `lasting`: once it is there no power failure takes it away.
    `beside` is where it is written, for whoever must know that place; else it has a name of its
    own, so that any number may write the same file at once. Where the block ends in an error
    nothing is left of it, for on a full disk every try would leave a piece.
    """
    half = beside or path.with_name(f".{uuid.uuid4().hex}")
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if beside else os.O_EXCL)
    descriptor = os.open(half, flags, 0o600 if private else 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    if lasting:
        sync(path.parent)  # the name, too, must be on the disk


def sync(folder: Path) -> None:
    """The names in the folder reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
