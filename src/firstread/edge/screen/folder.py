"""A folder with all that lies below it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from firstread.domain.errors import UnreadableSample
from firstread.edge.screen.sample import MAX_BYTES, TOO_LARGE, Listed, Room


class Folder:
    """Files are listed in the file system's own order: millions in one folder cost no memory.

    Hidden ones are a system's own and no samples; of all others each is read or says why not.
    """

    repeats = False
    fetchers = 4

    def __init__(self, path: Path, *, results: Path) -> None:
        """`results` and what begins with its name is no sample, should it lie in the folder."""
        self._root = path.resolve()
        self._results = results.resolve()
        self.name = str(self._root)

    def close(self) -> None:
        """Nothing stays open."""

    def listing(self) -> Iterator[Listed]:
        pending = [""]
        while pending:
            inside = pending.pop()
            folder = self._root / inside
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.name.startswith(".") or self._is_result(folder, entry.name):
                            continue
                        address = f"{inside}{entry.name}"
                        if entry.is_dir(follow_symlinks=False):
                            pending.append(f"{address}/")
                        else:
                            yield _listed(entry, address=address)
            except OSError as error:
                yield Listed(
                    address=inside or ".",
                    error=f"This folder cannot be listed ({error.strerror}). Check its rights.",
                )

    def fetch(self, listed: Listed, *, room: Room) -> bytes:
        return read_file(self._root / listed.address, room=room)

    def _is_result(self, folder: Path, name: str) -> bool:
        return name.startswith(self._results.name) and folder == self._results.parent


def _listed(entry: os.DirEntry[str], *, address: str) -> Listed:
    try:
        return listed_file(entry.stat(), address=address)
    except OSError as error:
        return Listed(address=address, error=_cannot_be_opened(error))


def listed_file(seen: os.stat_result, *, address: str) -> Listed:
    """The file as a sample, by its size and time; what is no file says so."""
    if stat.S_ISDIR(seen.st_mode):
        return Listed(
            address=address, error="This is a link to a folder, or a folder. Screen it by itself."
        )
    if not stat.S_ISREG(seen.st_mode):
        return Listed(address=address, error="This is a pipe, a socket or a device, not a file.")
    return Listed(address=address, tag=f"{seen.st_size}:{seen.st_mtime_ns}")


def read_file(path: str | Path, *, room: Room) -> bytes:
    """The bytes of a file; raises UnreadableSample where it is none, too large, or closed to us."""
    try:
        # Without waiting: a pipe that took the file's place would hold us for ever.
        place = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(place, "rb", buffering=0) as file:  # noqa: PTH123  a descriptor, not a path
            seen = os.fstat(place)
            if not stat.S_ISREG(seen.st_mode):
                raise UnreadableSample("This is not a file any more. Check the path.")
            if seen.st_size > MAX_BYTES:
                raise UnreadableSample(TOO_LARGE)
            room(seen.st_size)
            return file.readall()
    except (OSError, ValueError) as error:
        raise UnreadableSample(_cannot_be_opened(error)) from None


def _cannot_be_opened(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file. Check the path."
    reason = getattr(error, "strerror", None) or "bad name"
    return f"This file cannot be opened ({reason}). Check its rights."
