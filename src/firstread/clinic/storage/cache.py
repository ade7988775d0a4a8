"""What is made of a sample for pages: kept beside the store, each there whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings


def place_of(sha256: str, *, form: str) -> Path:
    """Where that form of the sample of that hash lies, once it is made."""
    home: Path = settings.FIRSTREAD.home
    return home / "cache" / form / sha256[:2] / sha256


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces one behind another, for nobody else to read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(pieces)
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)  # on a full disk every try would leave a piece
        raise
