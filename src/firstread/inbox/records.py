"""Which files of a folder are one recording, by what its header names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from firstread.inbox.places import Taken
from firstread.inbox.settle import Signature
from firstread.recordings.together import beginning_of, is_header, named_files, other_half


class Records:
    """The headers of the folders that are looked at; each is read again only when it changes."""

    def __init__(self) -> None:
        self._named: dict[Path, tuple[Signature, tuple[str, ...]]] = {}
        self._owners: dict[Path, dict[str, Path]] = {}

    def look_again(self) -> None:
        """Headers may have come or gone since."""
        self._owners = {}

    def files_of(self, path: Path) -> tuple[Path, ...]:
        """The header and its files of samples, of which `path` is one; none while some lack.

        A header that names none of the files beside it, as one that was renamed does, goes with
        the one of its own name.
        """
        header = path if is_header(path) else self._owner(path)
        if header is None:
            return ()
        beside = tuple(header.parent / name for name in self._names_in(header))
        there = [each.exists() for each in beside]
        if beside and all(there):
            return (header, *beside)
        half = other_half(header)
        if half is None or any(there) or path not in (header, half):
            return ()
        return (header, half)

    def _owner(self, path: Path) -> Path | None:
        folder = path.parent
        if folder not in self._owners:
            headers = sorted(each for each in folder.iterdir() if is_header(each))
            self._owners[folder] = {
                name: header for header in headers for name in self._names_in(header)
            }
        return self._owners[folder].get(path.name) or other_half(path)

    def _names_in(self, header: Path) -> tuple[str, ...]:
        signature = Signature.of(header)
        known = self._named.get(header)
        if known is None or known[0] != signature:
            names = tuple(named_files(beginning_of(header))) if signature.regular else ()
            self._named[header] = known = (signature, names)
        return known[1]


def lacks_some(claims: Collection[Taken]) -> bool:
    """Whether a header among the claimed files names others beside those that are claimed."""
    there = {each.inside.name for each in claims}
    named = {
        name for each in claims if is_header(each.inside) for name in named_files(each.beginning())
    }
    return bool(named & there) and not named <= there
