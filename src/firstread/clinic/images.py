"""Pictures for pages, made once and kept beside the store: no metadata travels in them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from firstread import imaging
from firstread.clinic import store

SHOWN_AS = imaging.SHOWN_AS


def thumbnail(sha256: str) -> bytes:
    """A small picture; raises UnreadableSample."""
    return _kept("thumbnail", sha256, imaging.thumbnail)


def display(sha256: str) -> bytes:
    """A picture to read from; raises UnreadableSample."""
    return _kept("display", sha256, imaging.display)


def _kept(form: str, sha256: str, make: Callable[[bytes], bytes]) -> bytes:
    path: Path = settings.FIRSTREAD.home / "cache" / form / sha256[:2] / sha256
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    picture = make(store.open(sha256))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_name(f".{uuid.uuid4().hex}")
    half.write_bytes(picture)
    half.replace(path)
    return picture
