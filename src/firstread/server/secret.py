"""The secret key that signs sessions and seals the audit trail."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from firstread.domain.errors import BadConfiguration
from firstread.server.environment import read_secret

DEMO_KEY = "firstread-demo-only-everybody-knows-this-key-so-it-guards-nothing"
MIN_LENGTH = 32


def secret_key(env: Mapping[str, str], *, home: Path) -> str:
    """The key of the environment, or the one kept in the home folder, made on first use.

    Raises BadConfiguration where the key is too short or everybody's.
    """
    key = env.get("FIRSTREAD_SECRET_KEY", "")
    if not key and (named := env.get("FIRSTREAD_SECRET_KEY_FILE")):
        key = read_secret(named, variable="FIRSTREAD_SECRET_KEY_FILE")
    key = key or _kept(home / "secret-key")
    if len(key) < MIN_LENGTH or key == DEMO_KEY:
        raise BadConfiguration(
            f"FIRSTREAD_SECRET_KEY needs {MIN_LENGTH} characters or more that nobody else knows. "
            'Make one: python -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    return key


def _kept(path: Path) -> str:
    """The key in the file; of several processes that start at once the first one's holds."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise BadConfiguration(
            f"No secret key can be kept at {path} ({error.strerror}). "
            "Set FIRSTREAD_HOME to a folder that Firstread may write to."
        ) from None


def _make(path: Path) -> None:
    if path.exists():
        return
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, secrets.token_urlsafe(48).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(mine, path)  # fails where another process was first, and leaves a whole file
    except FileExistsError:
        pass
    finally:
        mine.unlink()
