"""The bytes of samples in a folder, each under its hash, there whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firstread.files.whole import sync, whole


@dataclass(frozen=True, kw_only=True)
class Samples:
    """A folder of samples; survives a power cut at any moment."""

    root: Path

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their SHA-256; raises OSError where the disk is full."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if self.open(sha256) is not None:
            return sha256
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole(path, private=True, lasting=True) as file:
            file.write(data)
        sync(self.root)  # the folder's name, too, must be on the disk
        return sha256

    def open(self, sha256: str) -> bytes | None:
        """The bytes of that hash; None where they are gone or changed."""
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def delete(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def sweep(self, *, known: set[str]) -> None:
        """Delete halves that a power cut left, and bytes that no row of the spool names."""
        for path in self._files():
            if path.name not in known:
                path.unlink(missing_ok=True)

    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._files())

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256

    def _files(self) -> Iterator[Path]:
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.is_dir():
                yield from (path for path in folder.iterdir() if path.is_file())
