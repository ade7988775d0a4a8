"""The store: every sample's bytes under their SHA-256, kept for good."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, storages

from firstread.domain.errors import UnreadableSample
from firstread.files.whole import sync, whole


class SampleFolder(FileSystemStorage):
    """A folder in which a file is there whole or not at all, and survives a power cut."""

    def _save(self, name: str, content: File[Any]) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path, private=True, lasting=True) as file:
            file.writelines(content.chunks())
        sync(path.parent.parent)  # the folder of its hash may be new
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002  Django's signature
        """The name itself: whoever writes it writes the same bytes."""
        return name


def put(data: bytes) -> str:
    """Keep the bytes and return their SHA-256; the same bytes are kept once."""
    sha256 = hashlib.sha256(data).hexdigest()
    store = storages["samples"]
    if not store.exists(_place(sha256)):
        store.save(_place(sha256), ContentFile(data))
    return sha256


def open(sha256: str) -> bytes:  # noqa: A001 - one says store.open
    """The bytes of that hash; raises UnreadableSample where they are gone or changed."""
    try:
        with storages["samples"].open(_place(sha256)) as file:
            data: bytes = file.read()
    except FileNotFoundError:
        raise UnreadableSample(
            "The sample's bytes are missing from the store. Bring the samples back from the backup."
        ) from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UnreadableSample(
            "The sample's bytes in the store have changed. Bring them back from the backup."
        )
    return data


def _place(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"
