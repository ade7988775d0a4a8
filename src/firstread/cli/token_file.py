"""The file that `--token-file` names: it shows the token to nobody who lists processes."""

from __future__ import annotations

from pathlib import Path

from firstread.domain.errors import BadConfiguration


def token_in(file: Path) -> str:
    """The token that the file holds; raises BadConfiguration where it holds none."""
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token:
        raise BadConfiguration(
            f"The file '{file}' holds no token that can be read. Write one line of letters and "
            "digits into it."
        )
    return token
