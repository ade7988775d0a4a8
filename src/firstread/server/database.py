"""The address of a database as Django wants it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from firstread.domain.errors import BadConfiguration


def is_database(url: str) -> bool:
    """Whether `url` is written as the address of a database that Firstread can use.

    >>> is_database("postgresql://ana@db.example/clinic"), is_database("mysql://db.example/clinic")
    (True, False)
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # is a number, or this raises
    except ValueError:  # whose words may hold the password
        return False
    return parts.scheme in ("sqlite", "postgresql", "postgres")


def database_of(url: str) -> dict[str, Any]:
    """Django's settings for `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/NAME`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # sqlite:////PATH, as others write it, and sqlite:///PATH are the same file.
        return _sqlite("/" + unquote(parts.path).lstrip("/"))
    if not parts.path.strip("/"):
        raise BadConfiguration(
            "The setting 'database.url' names no database after the host. "
            "Write postgresql://NAME@HOST/DATABASE."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"connect_timeout": "10", **dict(parse_qsl(parts.query))},
        "CONN_MAX_AGE": 0,
    }


def _sqlite(path: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            # A transaction that begins by reading would fail where it comes to write.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # FULL: what a laboratory was told is received must survive a power cut.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; "
                # What is erased must not stay in the file's free space.
                "PRAGMA secure_delete=ON;"
            ),
        },
        "CONN_MAX_AGE": 0,
    }
