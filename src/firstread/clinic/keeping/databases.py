"""A database as one file, as it is at one moment while others write; and the file as a database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.db import connection, transaction

from firstread.domain.errors import BackupRefused

FILES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}


class Query(Protocol):
    """Asks the database as it was when the copy was made."""

    def __call__(self, sql: str) -> Iterator[tuple[Any, ...]]: ...


@contextmanager
def copied(folder: Path) -> Iterator[Query]:
    """Copy the database into the folder; gives what asks it as it was at that moment."""
    target = folder / FILES[connection.vendor]
    make = _copied_sqlite if connection.vendor == "sqlite" else _copied_postgresql
    with make(target) as query:
        yield query


def restore(file: Path) -> None:
    """Make the copy the database, which is empty; there whole or not at all."""
    if connection.vendor == "sqlite":
        _restore_sqlite(file)
    else:
        _restore_postgresql(file)


def is_empty() -> bool:
    """Whether the database holds nothing, and on SQLite need not even be there."""
    if connection.vendor == "sqlite" and not Path(_settings()["NAME"]).exists():
        return True
    return not connection.introspection.table_names()


@contextmanager
def _copied_sqlite(target: Path) -> Iterator[Query]:
    own = sqlite3.connect(f"file:{_quoted(_settings()['NAME'])}?mode=ro", uri=True, timeout=60)
    made = sqlite3.connect(target)
    try:
        own.backup(made)  # all pages at once: a moment of the database, and no writer waits
        (said,) = made.execute("PRAGMA quick_check").fetchone()
        if said != "ok":
            raise BackupRefused(
                f"The database is damaged ({said}). Bring it back from the last good backup."
            )
        made.execute("PRAGMA journal_mode=DELETE")  # one file
        yield lambda sql: iter(made.execute(sql))
    except sqlite3.Error as error:
        raise BackupRefused(f"The database cannot be copied: {error}.") from None
    finally:
        own.close()
        made.close()


def _restore_sqlite(file: Path) -> None:
    place = Path(_settings()["NAME"])
    connection.close()
    place.parent.mkdir(parents=True, exist_ok=True)
    half = place.with_name(f".{place.name}.restoring")
    shutil.copyfile(file, half)
    with half.open("rb+") as written:
        os.fsync(written.fileno())
    half.chmod(0o600)
    for ending in ("-wal", "-shm"):
        place.with_name(place.name + ending).unlink(missing_ok=True)
    half.replace(place)


@contextmanager
def _copied_postgresql(target: Path) -> Iterator[Query]:
    program = _program("pg_dump")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        _run(program, "--format=custom", f"--snapshot={snapshot}", f"--file={target}")

        def query(sql: str) -> Iterator[tuple[Any, ...]]:
            cursor.execute(sql)
            while rows := cursor.fetchmany(2000):
                yield from rows

        yield query


def _restore_postgresql(file: Path) -> None:
    _run(
        _program("pg_restore"),
        "--no-owner",
        "--no-privileges",
        "--single-transaction",
        "--exit-on-error",
        str(file),
    )


def _program(name: str) -> str:
    """PostgreSQL's own program: on the path, or where Debian keeps those of each version."""
    if found := shutil.which(name):
        return found
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).is_file():
            return str(folder / name)
    raise BackupRefused(
        f"'{name}' is not installed, by which a PostgreSQL database is copied. Install "
        "PostgreSQL's client programs, of the server's version or a later one."
    )


def _run(program: str, *words: str) -> None:
    # The password goes by the environment: who lists processes must not see it.
    secret = {"PGPASSWORD": _settings()["PASSWORD"]} if _settings()["PASSWORD"] else {}
    done = subprocess.run(  # noqa: S603  PostgreSQL's own program, with our own words
        [program, "--no-password", f"--dbname={_address()}", *words],
        env=os.environ | secret,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line] or ["it was killed"]
        raise BackupRefused(f"{Path(program).name} failed: {said[0].partition('error: ')[2]}.")


def _address() -> str:
    """The database as PostgreSQL's programs want it, without the password."""
    said = _settings()
    told = {
        "dbname": said["NAME"],
        "user": said["USER"],
        "host": said["HOST"],
        "port": said["PORT"],
        **said["OPTIONS"],
    }
    return " ".join(
        "{}='{}'".format(key, str(value).replace("\\", "\\\\").replace("'", "\\'"))
        for key, value in told.items()
        if value
    )


def _settings() -> dict[str, Any]:
    return connection.settings_dict


def _quoted(path: str) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
