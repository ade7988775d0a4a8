"""Where labelled samples lie: a folder, a zip file or a single file, read one name at a time."""

from __future__ import annotations

import os
import posixpath
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from firstread.datasets.endings import LABELS_FILES, TABLE_ENDINGS
from firstread.domain.errors import BadDataset
from firstread.files.left_over import folder_passed_over, passed_over

MAX_FILE_BYTES = 1 << 30
"""One file of a zip may not unpack to more: no sample is larger, and a zip bomb is."""
MAX_BYTES = 8 << 30
"""Of one file of a folder, which may be an archive."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The files of a folder or a zip, by their names with slashes; hidden files are left out.

    `read` gives the bytes of one of them. Raises BadDataset where it is not there or damaged.
    """

    path: Path
    name: str
    names: tuple[str, ...]
    read: Callable[[str], bytes]

    def ending(self, *endings: str) -> list[str]:
        """The names that end in one of `endings`, which are given in lower case."""
        return [name for name in self.names if name.lower().endswith(endings)]


def plain_path(path: str) -> str:
    """One spelling of a path: slashes, no './', accents as most systems write them."""
    return unicodedata.normalize("NFC", posixpath.normpath(path.strip().replace("\\", "/")))


def place_of(path: Path) -> Place:
    """The files at `path`; nothing is read yet.

    Raises BadDataset where there is nothing, or a zip file that cannot be opened.
    """
    if path.is_dir():
        return _folder(path)
    if path.name in LABELS_FILES and path.is_file():
        return _folder(path.parent)  # it names what lies beside it
    if not path.is_file():
        raise BadDataset(f"There is nothing at {path}. Name a folder or a file with samples.")
    if path.suffix.lower() == ".zip":
        return zip_place(path)
    return Place(
        path=path,
        name=path.stem,
        names=(path.name,),
        read=lambda _: _bytes_of(path),
    )


def _bytes_of(path: Path) -> bytes:
    """Of a plain file: a pipe would wait for ever for somebody to write to it."""
    if not path.is_file():
        raise FileNotFoundError(path)
    if path.stat().st_size > MAX_BYTES:
        raise BadDataset(
            f"{path.name[:200]} is larger than {MAX_BYTES >> 30} GiB. Take it out, or part it."
        )
    return path.read_bytes()


def _folder(path: Path) -> Place:
    root = path.resolve()
    names: list[str] = []
    for folder, inner, files in os.walk(root, onerror=_refuse_closed):
        inner[:] = sorted(name for name in inner if not folder_passed_over(name))
        _refuse_links(Path(folder), inner, root=root)
        below = Path(folder).relative_to(root).as_posix()
        start = "" if below == "." else f"{below}/"
        names.extend(f"{start}{name}" for name in files if not passed_over(name))
    names.sort()
    spelt = _Spelling(names)

    def read(name: str) -> bytes:
        absent = BadDataset(
            f"The sample '{name[:200]}' is not in the folder {root.name}. Put it there, or "
            "correct labels.csv."
        )
        try:
            place = (root / spelt.of(name)).resolve()
        except (OSError, ValueError, RuntimeError) as why:  # a NUL in the name, a link to itself
            raise absent from why
        if not place.is_relative_to(root):
            raise BadDataset(
                f"The path '{name[:200]}' leads out of the folder {root.name}. Put the sample into "
                "the folder, or correct labels.csv."
            )
        try:
            return _bytes_of(place)
        except OSError as why:
            raise absent from why

    return Place(path=path, name=root.name, names=tuple(names), read=read)


def _refuse_closed(error: OSError) -> None:
    """What lies in a folder that cannot be looked into would vanish without a word."""
    raise error


def _refuse_links(folder: Path, inner: Sequence[str], *, root: Path) -> None:
    """Raises BadDataset where a folder is a link to one elsewhere: its samples would be missing."""
    for name in inner:
        place = folder / name
        if place.is_symlink() and not Path(os.path.realpath(place)).is_relative_to(root):
            raise BadDataset(
                f"The folder '{name[:200]}' in {root.name} is a link that leads out of it, which "
                "is not followed. Put the folder itself there, or take the link out."
            )


def zip_place(path: Path) -> Place:
    """The files in a zip, without the one folder that everything may lie in."""
    try:
        opened = zipfile.ZipFile(path)
        entries = {entry.filename: entry for entry in opened.infolist() if not entry.is_dir()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as why:
        raise BadDataset(
            f"{path.name} is not a zip file that can be opened. Copy it again."
        ) from why
    _refuse_names_elsewhere(entries, name=path.name)
    shown = [
        name
        for name, (*folders, last) in ((each, each.split("/")) for each in entries)
        if not passed_over(last) and not any(map(folder_passed_over, folders))
    ]
    top = _one_folder(shown)
    names = tuple(sorted(name[len(top) :] for name in shown))
    spelt = _Spelling(names)

    def read(name: str) -> bytes:
        entry = entries.get(top + spelt.of(name)) or entries.get(name)
        if entry is None:
            raise BadDataset(
                f"The sample '{name[:200]}' of labels.csv is not in {path.name}. Pack it again, or "
                "correct labels.csv."
            )
        if entry.file_size > MAX_FILE_BYTES:
            raise BadDataset(
                f"The sample '{name[:200]}' in {path.name} unpacks to more than "
                f"{MAX_FILE_BYTES >> 30} GiB. Take it out: no sample is that large."
            )
        try:
            return opened.read(entry)
        except (
            zipfile.BadZipFile, zlib.error, LZMAError, RuntimeError, OSError, EOFError, ValueError,
        ) as why:  # fmt: skip
            # RuntimeError: encrypted, or packed in a way that Python does not unpack.
            raise BadDataset(
                f"The sample '{name[:200]}' in {path.name} is damaged. Pack the archive again."
            ) from why

    return Place(path=path, name=path.resolve().stem, names=names, read=read)


def _refuse_names_elsewhere(names: Iterable[str], *, name: str) -> None:
    for each in names:
        if each.startswith("/") or ".." in PurePosixPath(each).parts:
            raise BadDataset(
                f"{name} holds '{each[:200]}', a name that leads elsewhere. Pack the folder again."
            )


class _Spelling:
    """A name as it is spelt here: tables write accents and slashes otherwise than systems do."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._plain: dict[str, str] | None = None

    def of(self, name: str) -> str:
        if name in self._names:
            return name
        if self._plain is None:
            self._plain = {plain_path(each): each for each in self._names}
        return self._plain.get(plain_path(name), name)


def _one_folder(names: Sequence[str]) -> str:
    """The folder that all of a zip lies in, with its slash, where that is no label: files lie
    another folder deeper, or beside a table."""
    tops = {name.partition("/")[0] for name in names}
    if len(tops) != 1 or any("/" not in name for name in names):
        return ""
    top = f"{tops.pop()}/"
    rest = [name[len(top) :] for name in names]
    has_table = any(
        "/" not in name and name.lower().endswith((*TABLE_ENDINGS, ".npz")) for name in rest
    )
    return top if has_table or all("/" in name for name in rest) else ""
