"""A file is there whole or not at all, whatever ends its writing."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstread.files.whole import whole


@given(pieces=st.lists(st.binary(max_size=50)), private=st.booleans(), lasting=st.booleans())
def test_what_was_written_stands_there_and_nothing_beside_it(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], private: bool, lasting: bool
) -> None:
    path = tmp_path_factory.mktemp("whole") / "file"
    for earlier in (b"an earlier one", b""):
        with whole(path, private=private, lasting=lasting) as file:
            file.writelines([earlier, *pieces])
    assert path.read_bytes() == b"".join(pieces)
    assert list(path.parent.iterdir()) == [path]


def test_a_private_file_is_for_nobody_else_and_another_as_the_system_has_it(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        for name, private in (("mine", True), ("ours", False)):
            with whole(tmp_path / name, private=private) as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            assert mode == stat.S_IMODE((tmp_path / name).stat().st_mode)
            assert mode == (0o600 if private else 0o644)
    finally:
        os.umask(old)


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("beside", [None, "file.part"])
def test_an_error_leaves_what_was_there_and_no_piece(
    tmp_path: Path, error: type[BaseException], beside: str | None
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def write() -> None:
        with whole(path, beside=tmp_path / beside if beside else None) as file:
            file.write(b"half of it")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_at_the_last_byte_leaves_no_piece(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"), whole(tmp_path / "file") as file:
            file.write(bytes(1001))  # fits into the buffer: the disk refuses it when the file ends
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_what_was_there_and_the_next_one_takes_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from firstread.files.whole import whole\n"
        "path = Path(sys.argv[1])\n"
        "with whole(path, beside=path.with_suffix('.part')) as file:\n"
        "    file.write(bytes(5_000_000)); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"before"
    with whole(path, beside=path.with_suffix(".part")) as file:
        file.write(b"after")
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]
