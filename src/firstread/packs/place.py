"""A pack is written beside its place by one writer, and comes to it whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firstread.domain.errors import BadConfiguration


@contextmanager
def alone(lock: Path, *, otherwise: str) -> Iterator[None]:
    """Inside it no other process holds `lock`, a file that is there no longer than that.

    Raises BadConfiguration with the sentence `otherwise` where one does, and OSError where the file
    cannot be made. A process that is killed holds nothing.
    """
    # Opened for writing: a network file system gives no lock for itself on anything else.
    with lock.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadConfiguration(otherwise) from None
        if not _is_still(lock, held.fileno()):  # whoever held it has just ended, and took it along
            raise BadConfiguration(otherwise)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


@contextmanager
def written_alone(shelf: Path, name: str) -> Iterator[Path]:
    """An empty folder on the shelf for the pack `name`, which nobody else writes meanwhile.

    What a writer that was killed left there is put right or taken away. Raises BadConfiguration
    where another process writes that pack now, and OSError where nothing can be written.
    """
    shelf.mkdir(parents=True, exist_ok=True)
    # A name with a dot is on no shelf, so a half-written pack is never offered.
    folder = shelf / f".{name}.part"
    busy = (
        f"Another command writes the pack '{name}' into {shelf} right now. Wait until it ends, or "
        "name another folder with --out."
    )
    with alone(shelf / f".{name}.lock", otherwise=busy):
        _mend(shelf, name)
        try:
            yield emptied(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def emptied(folder: Path) -> Path:
    """The same folder with nothing in it; it is made where there is none.

    A link is taken away: what it leads to is not ours to empty.
    """
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for inner in folder.iterdir():
        if inner.is_dir() and not inner.is_symlink():
            shutil.rmtree(inner)
        else:
            inner.unlink()
    return folder


def put_in_place(folder: Path, place: Path) -> Path:
    """The sealed `folder` becomes the pack at `place`, and the one before it goes.

    At no moment do parts of a pack stand there. A machine that dies between the two steps leaves
    the old one beside it, where the next `written_alone` finds it.
    """
    old = _old(place.parent, place.name)
    if old.exists():
        shutil.rmtree(old)
    if place.exists():
        place.rename(old)
    folder.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    return place


def _mend(shelf: Path, name: str) -> None:
    old, place = _old(shelf, name), shelf / name
    if old.exists() and not place.exists():
        old.rename(place)


def _old(shelf: Path, name: str) -> Path:
    return shelf / f".{name}.old"


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
