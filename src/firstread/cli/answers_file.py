"""The file of `--out`: each answer a line, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from firstread.domain.errors import BadConfiguration

_SYNC_S = 1.0
_OURS = ("read_by", "sample_sha256", "pack_sha256")
_BEGINNING = b'{"path": '
_LONGEST_LINE = 1 << 24
_Place = tuple[str, int | None]


class KeptAnswers:
    """Answers by one pack, kept by the sample's path, line and hash.

    A line is written whole before it counts, and reaches the disk within a second: after SIGKILL
    nothing that was printed is read again, after a power failure at most one second's work. The
    last line may be torn; it is dropped when the file is opened. Threads may call `find`.

    Raises BadConfiguration where the file holds something else, answers of another pack, or is
    being written by another run.
    """

    def __init__(self, path: Path, *, pack: str, pack_sha256: str) -> None:
        self.path = path
        self._pack = pack
        self._pack_sha256 = pack_sha256
        self._places: dict[_Place, tuple[str, int, int]] = {}
        self._file = _opened(path)
        self._synced_at = time.monotonic()
        try:
            self._size = self._load()
            os.ftruncate(self._file.fileno(), self._size)
            self._file.seek(self._size)
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        return len(self._places)

    def find(self, path: str, *, line: int | None, sample_sha256: str) -> dict[str, Any] | None:
        """The answer that was kept of this sample, if its bytes are still the same."""
        kept = self._places.get((path, line))
        if kept is None or kept[0] != sample_sha256:
            return None
        _, at, size = kept
        answer: dict[str, Any] = json.loads(os.pread(self._file.fileno(), size, at))
        return {key: value for key, value in answer.items() if key not in _OURS}

    def keep(self, answer: Mapping[str, Any], *, sample_sha256: str) -> None:
        """Add an answer, which begins with its `path` and, for a row, its `line`."""
        ours = (self._pack, sample_sha256, self._pack_sha256)
        line = {**answer, **dict(zip(_OURS, ours, strict=True))}
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        if time.monotonic() - self._synced_at >= _SYNC_S:
            self._sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._sync()
        finally:
            self._file.close()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced_at = time.monotonic()

    def _load(self) -> int:
        """Note where each answer stands; returns where the last whole one ends."""
        at = 0
        lines = iter(lambda: self._file.readline(_LONGEST_LINE), b"")
        for number, line in enumerate(lines, start=1):
            if _is_torn(line):
                break
            self._note(line, number=number, at=at)
            at += len(line)
        return at

    def _note(self, line: bytes, *, number: int, at: int) -> None:
        try:
            answer = json.loads(line)
            place = (answer["path"], answer.get("line"))
            sample, pack = answer["sample_sha256"], answer["pack_sha256"]
            hash(place)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise BadConfiguration(
                f"{self.path} holds something else than answers, on line {number}. Name another "
                "file with --out."
            ) from None
        if pack != self._pack_sha256:
            raise BadConfiguration(
                f"{self.path} holds answers of {answer.get('read_by')} with other contents than "
                f"{self._pack}, which reads now. Name another file with --out."
            )
        self._places[place] = (sample, at, len(line))


def _is_torn(line: bytes) -> bool:
    """Whether it is the beginning of a line of ours; what somebody else wrote is never dropped."""
    if line.endswith(b"\n"):
        return False
    return line.startswith(_BEGINNING) or _BEGINNING.startswith(line) or not line.strip(b"\0")


def _opened(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadConfiguration(f"{path} is no plain file. Name one with --out.")
    file = os.fdopen(descriptor, "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise BadConfiguration(
            f"Another run is writing {path}. Wait until it ends, or name another file with --out."
        ) from None
    return file
