"""The store: every sample's bytes under their SHA-256, kept for good."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, storages

from firstread.clinic.models import Sample, StoreFault
from firstread.domain.errors import StoreTrouble
from firstread.files.whole import sync, whole

MARK = ".store"
"""Lies in the store, and so tells it from the empty folder of a disk that is not mounted."""
_HEX = frozenset("0123456789abcdef")


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
    """Keep the bytes and return their SHA-256; the same bytes are kept once.

    What lies there damaged is written anew. Raises StoreTrouble where the store is away, and
    OSError where its disk takes nothing.
    """
    sha256 = sha256_of(data)
    if away := _why_unmounted():
        raise StoreTrouble(away)
    if what_ails(sha256):
        storages["samples"].save(place_of(sha256), ContentFile(data))
        found_ailing = StoreFault.objects.filter(pk=place_of(sha256))
        if found_ailing.exists():  # by the round through the store; now it is whole
            found_ailing.delete()
    return sha256


def open(sha256: str) -> bytes:  # noqa: A001 - one says store.open
    """The bytes of that hash; raises StoreTrouble where they are gone, changed or out of reach."""
    try:
        with storages["samples"].open(place_of(sha256)) as file:
            data: bytes = file.read()
    except FileNotFoundError:
        if Sample.objects.filter(pk=sha256, bytes_erased_at__isnull=False).exists():
            raise StoreTrouble(
                "The sample's bytes were erased, as the site's retention says. What was read and "
                "decided stays."
            ) from None
        raise StoreTrouble(
            "The sample's bytes are missing from the store. Bring the samples back from the backup."
        ) from None
    except OSError as error:
        raise StoreTrouble(
            f"The sample's bytes in the store cannot be read ({_said(error)}). Give Firstread the "
            "right to read them, or check the disk."
        ) from None
    if sha256_of(data) != sha256:
        raise StoreTrouble(
            "The sample's bytes in the store have changed. Bring them back from the backup, or "
            "send the sample again."
        )
    return data


def what_ails(sha256: str, *, paced: Callable[[int], None] | None = None) -> str:
    """What is wrong with the bytes of that hash: 'missing', 'damaged', or '' where they are whole.

    `paced` is told of each piece how many bytes were read, and may wait. Raises StoreTrouble where
    that cannot be seen.
    """
    digest = hashlib.sha256()
    try:
        with storages["samples"].open(place_of(sha256)) as file:
            for piece in file.chunks():
                digest.update(piece)
                if paced is not None:
                    paced(len(piece))
    except FileNotFoundError:
        return "missing"
    except PermissionError as error:
        raise StoreTrouble(_out_of_reach(error)) from None
    except OSError:
        return "damaged"  # the disk gives it no more
    return "" if digest.hexdigest() == sha256 else "damaged"


def erase(sha256: str) -> None:
    """Take the bytes of that hash away for good; raises OSError where that cannot be done."""
    place = root() / place_of(sha256)
    place.unlink(missing_ok=True)
    StoreFault.objects.filter(pk=place_of(sha256)).delete()


def is_there(sha256: str) -> bool:
    """Whether a file lies where the bytes of that hash belong."""
    return storages["samples"].exists(place_of(sha256))


def why_away() -> str:
    """Why the whole store cannot be reached at the moment; '' where it can."""
    try:
        os.scandir(root()).close()
        return _why_unmounted()
    except FileNotFoundError:
        return _why_unmounted()
    except OSError as error:
        return _out_of_reach(error)


def _why_unmounted() -> str:
    """Why the folder is not the store, though it is there; marks a new store as one."""
    folder = root()
    mark = folder / MARK
    try:
        if mark.exists():
            return ""
        there = folder.is_dir() and any(_is_of_hashes(each) for each in folder.iterdir())
        if not there and Sample.objects.exists():
            return (
                f"The store {folder} is empty, though samples were put in: its disk is not "
                "mounted, or the samples were moved. Mount it, or bring them back from the backup."
            )
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_bytes(b"")
    except PermissionError as error:
        return _out_of_reach(error)
    return ""


def _is_of_hashes(folder: Path) -> bool:
    return len(folder.name) == 2 and set(folder.name) <= _HEX


def _out_of_reach(error: OSError) -> str:
    return (
        f"The store {root()} cannot be read ({_said(error)}). Give Firstread the right to read "
        "and write there, or check its disk."
    )


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__


def root() -> Path:
    """The store's folder."""
    return Path(storages["samples"].path(""))


def sha256_of(data: bytes) -> str:
    """The hash under which the bytes lie."""
    return hashlib.sha256(data).hexdigest()


def place_of(sha256: str) -> str:
    """Where the bytes of that hash lie, from the store's folder on."""
    return f"{sha256[:2]}/{sha256}"
