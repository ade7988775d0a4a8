"""The keys that seal the audit trail: the one in use, and those that sealed older rows."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from firstread.files.key_file import keys_in


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key. Its name tells it from others, and nothing of it."""

    name: str
    _derived: bytes = field(repr=False)

    def seal(self, text: str) -> str:
        return hmac.new(self._derived, text.encode(), hashlib.sha256).hexdigest()


def ring() -> tuple[Key, ...]:
    """The keys of this process, that in use first."""
    given = settings.FIRSTREAD.keys
    return _keys(_newer.get((given.audit_file, given.audit), given.audit))


def current() -> Key:
    """The key in use."""
    return ring()[0]


def named(name: str) -> Key | None:
    """The key of that name; a file to which another process added one meanwhile is read again."""
    found = _in_ring(name)
    return found if found or not look_again() else _in_ring(name)


def look_again() -> bool:
    """Read the file of the keys again; returns whether it holds others than this process knew."""
    keys = settings.FIRSTREAD.keys
    if keys.audit_file is None:
        return False
    there = keys_in(keys.audit_file)
    known = (keys.audit_file, keys.audit)
    if not there or there == _newer.get(known, keys.audit):
        return False
    _newer[known] = there
    return True


_newer: dict[tuple[Path | None, tuple[str, ...]], tuple[str, ...]] = {}
"""What a file holds since, by the file and what this process was started with."""


def _in_ring(name: str) -> Key | None:
    return next((key for key in ring() if key.name == name), None)


@lru_cache(maxsize=8)
def _keys(secrets: tuple[str, ...]) -> tuple[Key, ...]:
    return tuple(_key(each) for each in secrets)


def _key(secret: str) -> Key:
    derived = hmac.digest(secret.encode(), b"firstread audit trail", "sha256")
    name = hmac.new(derived, b"the name of this key", hashlib.sha256).hexdigest()[:16]
    return Key(name=name, _derived=derived)
