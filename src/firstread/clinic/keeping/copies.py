"""The folder of backups: a copy in a folder of its own, and the samples of all copies once.

    DEST/20261129T130522Z/   MANIFEST.json, SHA256SUMS, database.*, samples.txt, firstread.toml
    DEST/samples/3f/3fa9...  each under its hash, whichever copies hold it
    DEST/packs/NAME-3fa9...  those that were taken in, each under its hash

A copy is written beside its place and renamed at the end: a half one is never taken for whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstread import packs
from firstread.domain.errors import BackupRefused, FirstreadError
from firstread.files.whole import whole

FORMAT = 1
MANIFEST, SUMS, LIST = "MANIFEST.json", "SHA256SUMS", "samples.txt"
ERASED = "erased.jsonl"
"""Whose samples were erased since copies were made: a restored copy must not bring them back."""
HALF = ".unfinished-"
_PIECE = 2**20


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One whole backup."""

    folder: Path
    told: dict[str, Any]
    """What its manifest says."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def root(self) -> Path:
        """The folder of all copies."""
        return self.folder.parent

    def samples(self) -> Iterator[tuple[str, int]]:
        """The hash and size of each file that belongs to it."""
        with (self.folder / LIST).open(encoding="ascii") as lines:
            for line in lines:
                sha256, size = line.split()
                yield sha256, int(size)


def copies_in(root: Path) -> list[Copy]:
    """The whole copies there, oldest first."""
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return []
    return [opened(each) for each in folders if (each / MANIFEST).is_file() and _is_name(each.name)]


def find(source: Path) -> Copy:
    """The copy in that folder, or the newest of those in it; raises BackupRefused."""
    if (source / MANIFEST).is_file():
        return opened(source)
    there = copies_in(source)
    if not there:
        raise BackupRefused(
            f"There is no whole backup in {source}. Name the folder that 'firstread backup' wrote "
            "to, or one of the copies in it."
        )
    return there[-1]


def opened(folder: Path) -> Copy:
    """The copy in that folder, whose manifest is whole; raises BackupRefused."""
    try:
        text = (folder / MANIFEST).read_bytes()
        told = json.loads(text)
        sums = _sums(folder)
    except (OSError, ValueError) as error:
        raise BackupRefused(
            f"The backup {folder} cannot be read ({type(error).__name__}). Take another copy."
        ) from None
    if sums.get(MANIFEST) != hashlib.sha256(text).hexdigest():
        raise BackupRefused(f"The manifest of {folder} is damaged. Take another copy.")
    if told.get("format") != FORMAT:
        raise BackupRefused(
            f"The backup {folder} is of another form ({told.get('format')}). Restore it with the "
            f"Firstread that made it ({told.get('firstread')})."
        )
    return Copy(folder=folder, told=told)


def troubles_of(copy: Copy, *, after_each: Callable[[], None]) -> list[str]:
    """What is damaged or missing of the copy, a sentence each; reads every byte of it."""
    found = damaged(copy)
    for sha256, _ in copy.samples():
        if sha256_of(place_of(copy.root, sha256)) != sha256:
            found.append(f"{place_of(copy.root, sha256)} is damaged or missing.")
        after_each()
    for pack in copy.told["packs"]:
        if pack["folder"] and not is_pack(copy.root / pack["folder"], sha256=pack["sha256"]):
            found.append(f"The pack {copy.root / pack['folder']} is damaged or missing.")
    return found


def damaged(copy: Copy) -> list[str]:
    """What of the copy's own folder is damaged or missing, a sentence each."""
    return [
        f"{copy.folder / name} is damaged or missing."
        for name, sha256 in _sums(copy.folder).items()
        if sha256_of(copy.folder / name) != sha256
    ]


def is_pack(folder: Path, *, sha256: str) -> bool:
    """Whether the pack of that hash lies there whole."""
    try:
        packs.verify(folder)
        return packs.pack_sha256(folder) == sha256
    except (FirstreadError, OSError):
        return False


def seal(folder: Path, told: dict[str, Any]) -> None:
    """Write the manifest and the hash of every file of the copy."""
    text = json.dumps(told | {"format": FORMAT}, indent=1, ensure_ascii=False).encode()
    (folder / MANIFEST).write_bytes(text)
    names = sorted(each.name for each in folder.iterdir() if each.name != SUMS)
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def place_of(root: Path, sha256: str) -> Path:
    """Where the bytes of that hash lie among those of all copies."""
    return root / "samples" / sha256[:2] / sha256


def sha256_of(path: Path) -> str:
    """The hash of the file; '' where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()


def copied(read: Callable[[], Iterator[bytes]], *, to: Path, sha256: str) -> bool:
    """Write the pieces there; False, and nothing is left of them, where their hash is another."""
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    half = to.with_name(f".{uuid.uuid4().hex}")
    try:
        with whole(half, private=True) as file:
            for piece in read():
                digest.update(piece)
                file.write(piece)
        whole_now = digest.hexdigest() == sha256
        if whole_now:
            half.replace(to)
    except OSError as error:
        if error.filename is None:  # a full disk, say: then it is to be told which
            raise OSError(error.errno, error.strerror, str(to)) from None
        raise
    finally:
        half.unlink(missing_ok=True)
    return whole_now


def pieces_of(path: Path) -> Iterator[bytes]:
    """What the file holds, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """One backup at a time there, and nothing left of a killed one; raises BackupRefused."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (root / ".lock").open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupRefused(
                f"Another backup to {root} is under way. Let it end, then try again."
            ) from None
        for each in root.iterdir():
            if each.name.startswith(HALF):
                shutil.rmtree(each)
        yield


@contextmanager
def half(root: Path) -> Iterator[Path]:
    """A folder for a copy that is being made; nothing is left of it where that fails."""
    folder = root / f"{HALF}{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def finish(folder: Path, *, name: str) -> Path:
    """The copy is whole: from now on it bears its name."""
    os.sync()
    place = folder.with_name(name)
    folder.rename(place)
    return place


def prune(root: Path, *, keep: int) -> list[str]:
    """Delete all but the newest copies, and the samples and packs that none of these holds.

    Returns the names of the copies that are gone.
    """
    there = copies_in(root)
    old, kept = there[:-keep], there[-keep:]
    for copy in old:
        shutil.rmtree(copy.folder.rename(root / f"{HALF}{copy.name}"))
    if old:
        _sweep(root, kept)
    return [copy.name for copy in old]


def _sweep(root: Path, kept: list[Copy]) -> None:
    wanted = {sha256 for copy in kept for sha256, _ in copy.samples()}
    for file in (root / "samples").glob("??/*"):
        if file.name not in wanted:
            file.unlink()
    used = {pack["folder"] for copy in kept for pack in copy.told["packs"]}
    for folder in (root / "packs").glob("*"):
        if f"packs/{folder.name}" not in used:
            shutil.rmtree(folder)


def _sums(folder: Path) -> dict[str, str]:
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def _is_name(name: str) -> bool:
    return not name.startswith(".")
