"""A pack in one file, to send: packed the same way every time, and unpacked with suspicion."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from firstread.domain.errors import PackRefused
from firstread.files.whole import whole
from firstread.packs.coherence import is_inside
from firstread.packs.sums import verify

MOST_BYTES = 2 * 1024**3
"""Of all files of a pack together, unpacked."""
MOST_FILES = 2000
_ALWAYS = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError,
    ValueError, KeyError,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Member:
    name: str
    is_plain: bool
    open: Callable[[], IO[bytes] | None]


def pack_into(folder: Path, file: Path) -> Path:
    """Write the pack folder into one zip file; the same pack gives the same bytes everywhere.

    Raises PackRefused where the pack is damaged.
    """
    verify(folder)
    with whole(file) as written, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            about = zipfile.ZipInfo(name, _ALWAYS)
            about.external_attr = 0o644 << 16
            about.create_system = 3  # as on Unix, wherever it is packed
            about.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(about, path.read_bytes())
    return file


def is_packed(file: Path) -> bool:
    """Whether the file is a zip or tar file that holds a `pack.toml`."""
    try:
        return any(PurePosixPath(each.name).name == "pack.toml" for each in _members(file))
    except (*_DAMAGED, OSError):
        return False


def unpack(file: Path, folder: Path) -> None:
    """Unpack into the empty `folder`; whole or not at all is up to the caller, who verifies it.

    Raises PackRefused where a name leads out of the folder, a link or a device lies among the
    files, or they are too many or too large.
    """
    try:
        names = [each.name for each in _members(file)]
        if len(names) > MOST_FILES:
            raise _refusal(f"it holds more than {MOST_FILES} files")
        roots = [name for name in names if PurePosixPath(name).name == "pack.toml"]
        top = min(roots, key=lambda name: name.count("/"), default="").removesuffix("pack.toml")
        left = MOST_BYTES
        for each in _members(file):
            if each.name.endswith("/"):
                continue
            if not each.is_plain:
                raise _refusal(f"'{each.name[:80]}' is a link or a device")
            if not each.name.startswith(top) or not is_inside(each.name.removeprefix(top)):
                raise _refusal(f"'{each.name[:80]}' leads out of the pack's folder")
            left = _written(each, folder / each.name.removeprefix(top), left=left)
    except _DAMAGED as error:
        raise _refusal(f"it is damaged ({str(error)[:80]})") from None
    except FileExistsError as error:
        raise _refusal(f"it holds '{Path(error.filename).name}' twice") from None


def _members(file: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            for each in packed.infolist():
                kind = (each.external_attr >> 16) & 0o170000
                yield _Member(
                    name=each.filename,
                    is_plain=kind in (0, 0o100000, 0o040000),
                    open=lambda each=each: packed.open(each),  # type: ignore[misc]  # bound now
                )
        return
    with tarfile.open(file, "r:*") as packed_tar:
        for entry in packed_tar:
            yield _Member(
                name=entry.name + ("/" if entry.isdir() else ""),
                is_plain=entry.isreg() or entry.isdir(),
                open=lambda entry=entry: packed_tar.extractfile(entry),  # type: ignore[misc]  # bound now
            )


def _written(member: _Member, place: Path, *, left: int) -> int:
    """Write one file; how many bytes may still come, whatever it says of its size."""
    place.parent.mkdir(parents=True, exist_ok=True)
    source = member.open()
    if source is None:
        raise _refusal(f"'{member.name[:80]}' cannot be read")
    with source, place.open("xb") as target:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _refusal(f"it holds more than {MOST_BYTES // 1024**3} GB")
            target.write(chunk)
    return left


def _refusal(why: str) -> PackRefused:
    return PackRefused(f"This file is not unpacked: {why}. Get the pack from who made it again.")
