"""A file is taken when it lies there whole, by this process's own clock."""

from __future__ import annotations

import os
from pathlib import Path

from firstread.inbox.settle import Ripe, Settling, Signature

KEY = Path("a.png")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def signed(size_bytes: int = 1) -> Signature:
    return Signature(inode=1, size_bytes=size_bytes, changed_ns=1, regular=True)


def test_a_file_is_quiet_once_it_lay_still_and_overdue_once_nobody_writes_it_any_more() -> None:
    clock = Clock()
    settling = Settling(settle_s=0.2, patience_s=10, clock=clock)
    assert settling.look(KEY, signed(), table=False) is Ripe.NOT_YET
    clock.now = 0.1
    assert settling.look(KEY, signed(2), table=False) is Ripe.NOT_YET
    clock.now = 0.29
    assert settling.look(KEY, signed(2), table=False) is Ripe.NOT_YET
    clock.now = 0.31
    assert settling.look(KEY, signed(2), table=False) is Ripe.QUIET
    settling.was_not_whole(KEY)
    assert settling.look(KEY, signed(2), table=False) is Ripe.NOT_YET
    clock.now = 10.2
    assert settling.look(KEY, signed(2), table=False) is Ripe.OVERDUE


def test_a_file_that_was_not_whole_is_tried_again_when_it_grows() -> None:
    clock = Clock()
    settling = Settling(settle_s=0.2, patience_s=10, clock=clock)
    settling.look(KEY, signed(), table=False)
    settling.was_not_whole(KEY)
    clock.now = 5
    settling.look(KEY, signed(2), table=False)
    clock.now = 5.3
    assert settling.look(KEY, signed(2), table=False) is Ripe.QUIET


def test_a_table_must_lie_still_for_longer_as_its_end_does_not_show() -> None:
    clock = Clock()
    settling = Settling(settle_s=0.2, patience_s=10, clock=clock)
    settling.look(KEY, signed(), table=True)
    clock.now = 1
    assert settling.look(KEY, signed(), table=True) is Ripe.NOT_YET
    clock.now = 2
    assert settling.look(KEY, signed(), table=True) is Ripe.QUIET


def test_the_clock_of_the_share_does_not_matter(tmp_path: Path) -> None:
    clock = Clock()
    settling = Settling(settle_s=0.2, patience_s=10, clock=clock)
    file = tmp_path / "a.png"
    file.write_bytes(b"x")
    os.utime(file, (2**33, 2**33))  # the year 2242
    settling.look(KEY, Signature.of(file), table=False)
    clock.now = 0.3
    assert settling.look(KEY, Signature.of(file), table=False) is Ripe.QUIET


def test_files_that_vanished_are_forgotten() -> None:
    settling = Settling(settle_s=1, patience_s=10, clock=Clock())
    settling.look(KEY, signed(), table=False)
    settling.keep_only([])
    assert len(settling) == 0
