"""What is made of a sample for pages: kept beside the store, each there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from firstread.files.whole import whole


def place_of(sha256: str, *, form: str) -> Path:
    """Where that form of the sample of that hash lies, once it is made."""
    home: Path = settings.FIRSTREAD.home
    return home / "cache" / form / sha256[:2] / sha256


def erase(sha256: str) -> None:
    """Take away whatever was made of the sample of that hash."""
    home: Path = settings.FIRSTREAD.home
    for place in (home / "cache").glob(f"*/{sha256[:2]}/{sha256}*"):
        place.unlink(missing_ok=True)


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces one behind another, for nobody else to read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole(path, private=True) as file:
        file.writelines(pieces)
