"""A folder with all that lies below it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from firstread.domain.errors import BadArchive, Unreachable, UnreadableSample
from firstread.edge.screen.sample import MAX_BYTES, TOO_LARGE, Listed, Room
from firstread.files.left_over import folder_passed_over, passed_over

RESULTS = ("", ".part", ".journal", ".journal-wal")
"""What stands behind the table's name in the names of the files that a screening writes."""

_LATER = {
    errno.EIO,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ENOTCONN,
    errno.EMFILE,
    errno.ENFILE,
}
"""What a network drive says that is away: nothing against the file."""


class Folder:
    """Files are listed in the file system's own order: millions in one folder cost no memory.

    What a system keeps there is no sample; of all others each is read or says why not.
    """

    repeats = False
    fetchers = 4

    def __init__(self, path: Path, *, results: Path) -> None:
        """The table `results` and what lies beside it is no sample, should it be in the folder."""
        self._root = path.resolve()
        self._results_in = str(results.resolve().parent)
        self._results = {results.name + ending for ending in RESULTS}
        self.name = str(self._root)

    def close(self) -> None:
        """Nothing stays open."""

    def listing(self) -> Iterator[Listed]:
        pending = [""]
        while pending:
            inside = pending.pop()
            folder = f"{self.name}/{inside}".rstrip("/")
            passed = self._results if folder == self._results_in else frozenset()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        address, deeper = (
                            f"{inside}{entry.name}",
                            entry.is_dir(follow_symlinks=False),
                        )
                        system = folder_passed_over if deeper else passed_over
                        if entry.name in passed or system(entry.name):
                            continue
                        if deeper:
                            pending.append(f"{address}/")
                        else:
                            yield _listed(entry, address=address)
            except OSError as error:
                sentence = f"cannot be listed ({error.strerror}). Check its rights."
                if not inside:
                    raise BadArchive(f"The folder '{self.name}' {sentence}") from None
                yield Listed(address=inside, error=f"This folder {sentence}")

    def fetch(self, listed: Listed, *, room: Room) -> bytes:
        return read_file(f"{self.name}/{listed.address}", room=room)


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
    """The bytes of a file.

    Raises UnreadableSample where it is none, too large, or closed to us, and Unreachable where
    the drive does not answer.
    """
    try:
        # Without waiting: a pipe that took the file's place would hold us for ever.
        place = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            seen = os.fstat(place)
            if not stat.S_ISREG(seen.st_mode):
                raise UnreadableSample("This is not a file any more. Check the path.")
            if seen.st_size > MAX_BYTES:
                raise UnreadableSample(TOO_LARGE)
            room(seen.st_size)
            return _whole(place, size_bytes=seen.st_size)
        finally:
            os.close(place)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in _LATER:
            raise Unreachable(f"The drive does not answer: {error}.") from None
        raise UnreadableSample(_cannot_be_opened(error)) from None


def _whole(place: int, *, size_bytes: int) -> bytes:
    data = os.read(place, size_bytes)
    if len(data) == size_bytes:
        return data
    parts = [data]  # network drives may give less at once than was asked for
    while part := os.read(place, size_bytes):
        parts.append(part)
    return b"".join(parts)


def _cannot_be_opened(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file. Check the path."
    reason = getattr(error, "strerror", None) or "bad name"
    return f"This file cannot be opened ({reason}). Check its rights."
