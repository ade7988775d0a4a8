"""A zip file whose entries are samples; each is unpacked by itself, in memory, within the limit."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from firstread.domain.errors import BadArchive, Unreachable, UnreadableSample
from firstread.edge.screen.sample import MAX_BYTES, TOO_LARGE, Listed, Room
from firstread.files.left_over import folder_passed_over, passed_over

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError)


class Zipped:
    """The zip's own list of entries stays in memory; nothing is unpacked to the disk."""

    repeats = False
    fetchers = 4

    def __init__(self, path: Path) -> None:
        self.name = str(path.resolve())
        try:
            self._opened = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError):
            raise BadArchive(
                f"{path.name} is no zip file that can be opened. Copy it again."
            ) from None
        self._entries = _by_address(self._opened.infolist())

    def close(self) -> None:
        self._opened.close()

    def listing(self) -> Iterator[Listed]:
        for address, entry in self._entries.items():
            yield Listed(
                address=address,
                tag=f"{entry.file_size}:{entry.CRC:08x}",
                error=TOO_LARGE if entry.file_size > MAX_BYTES else None,
            )

    def fetch(self, listed: Listed, *, room: Room) -> bytes:
        entry = self._entries[listed.address]
        room(entry.file_size)
        try:
            with self._opened.open(entry) as unpacked:
                # At most what the entry claims, which was looked at: a bomb does not unpack.
                return unpacked.read(entry.file_size)
        except NotImplementedError:
            reason = "is packed in a way that is not known here. Pack the archive again"
        except OSError as error:
            raise Unreachable(f"The zip file cannot be read just now: {error.strerror}.") from None
        except RuntimeError:
            reason = "is encrypted. Unpack the archive and screen the folder"
        except _DAMAGED:
            reason = "is damaged. Pack the archive again"
        raise UnreadableSample(f"This entry of the zip file {reason}.")


def _by_address(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """By name; the second of one name is called 'name#2', so that none hides another."""
    found: dict[str, zipfile.ZipInfo] = {}
    times: dict[str, int] = {}
    for entry in entries:
        name = entry.filename
        parts = name.split("/")
        if entry.is_dir() or passed_over(parts[-1]) or any(map(folder_passed_over, parts[:-1])):
            continue
        address = name
        while address in found:
            times[name] = times.get(name, 1) + 1
            address = f"{name}#{times[name]}"
        found[address] = entry
    return found
