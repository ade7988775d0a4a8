"""Keys kept in a file, one a line: the one in use first, then those before it."""

from __future__ import annotations

import secrets
from pathlib import Path

from firstread.files.whole import whole


def new_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(48)


def keys_in(path: Path) -> tuple[str, ...]:
    """The keys in the file; none where there is no file. Raises OSError, UnicodeDecodeError."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def keep_keys(path: Path, keys: tuple[str, ...]) -> None:
    """Write the file whole, for nobody else to read; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole(path, private=True, lasting=True) as file:
        file.write("".join(f"{key}\n" for key in keys).encode("ascii"))
