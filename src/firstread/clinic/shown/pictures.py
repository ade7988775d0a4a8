"""Pictures for pages, made once and kept beside the store: no metadata travels in them."""

from __future__ import annotations

from collections.abc import Callable

from firstread import imaging
from firstread.clinic.storage import cache, store

SHOWN_AS = imaging.SHOWN_AS


def thumbnail(sha256: str) -> bytes:
    """A small picture; raises UnreadableSample."""
    return _kept("thumbnail", sha256, imaging.thumbnail)


def display(sha256: str) -> bytes:
    """A picture to read from; raises UnreadableSample."""
    return _kept("display", sha256, imaging.display)


def _kept(form: str, sha256: str, make: Callable[[bytes], bytes]) -> bytes:
    path = cache.place_of(sha256, form=form)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    picture = make(store.open(sha256))
    cache.write(path, [picture])
    return picture
