"""What is made of a sample for pages is there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from firstread.clinic.storage import cache


def test_pieces_are_written_one_behind_another_for_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "ab" / "abc"
    for pieces in ([b"an earlier form"], [b"one", b"two"]):
        cache.write(path, pieces)
    assert path.read_bytes() == b"onetwo"
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_neither_a_piece_nor_harm_to_what_was_there(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise OSError(28, "No space left on device")

    path = tmp_path / "ab" / "abc"
    cache.write(path, [b"before"])
    with pytest.raises(OSError, match="No space"):
        cache.write(path, pieces())
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == b"before"
