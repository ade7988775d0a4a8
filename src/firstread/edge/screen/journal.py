"""What was answered so far, kept so that a process killed at any moment loses none of it.

One SQLite file beside the results. Each row is written by the thread that read the sample, before
it takes the next: a SIGKILL costs the samples in hand, a power failure the last seconds too.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from firstread.domain.errors import ResultsTaken
from firstread.edge.screen.answered import Answered, key_of
from firstread.edge.screen.sample import Listed

FORM = "2"
_COLUMNS = ", ".join(Answered._fields)
_SETTINGS = (
    # Exclusive: no second process, and no shared memory, which network drives lack.
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 10000",
)
_EMPTYING = ("DROP TABLE IF EXISTS header", "DROP TABLE IF EXISTS answered")
_HEADER = "CREATE TABLE IF NOT EXISTS header (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
_ANSWERED = (
    "CREATE TABLE IF NOT EXISTS answered "
    f"(address BLOB PRIMARY KEY, {', '.join(Answered._fields[1:])}) WITHOUT ROWID"
)
_ADD = f"INSERT OR REPLACE INTO answered VALUES ({', '.join('?' * len(Answered._fields))})"  # noqa: S608  our own names
HEADER = {"source": "archive", "pack_sha256": "pack", "precision": "precision"}
"""What all starts of one screening share, and what a person calls it."""


class Journal:
    """Open, and ours alone; threads may share it."""

    def __init__(self, database: sqlite3.Connection, *, path: Path) -> None:
        self.path = path
        self._database = database
        self._lock = Lock()
        self._in_hand: set[bytes] = set()
        counts = "SELECT count(*), count(error) FROM answered WHERE again = 0"
        self.answered, self.unreadable = database.execute(counts).fetchone()
        self.resumed_from: int = self.answered

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._database.close()

    def to_do(self, listing: Iterator[Listed], *, repeats: bool) -> Iterator[Listed]:
        """What of the listing is still to be read; one thread at a time may ask for the next."""
        known = self.holds_rows()
        for listed in listing:
            if known or repeats:
                with self._lock:
                    key = key_of(listed.address)
                    if key in self._in_hand or self._is_done(key, tag=listed.tag):
                        continue
                    self._in_hand.add(key)
            yield listed

    def add(self, row: Answered) -> None:
        """Keep the row; when this returns, killing the process does not lose it."""
        with self._lock:
            try:
                self._database.execute(_ADD, row)
            except sqlite3.OperationalError as error:
                raise _unusable(error, path=self.path) from None
            self._in_hand.discard(row.address)
            self.answered += 1
            self.unreadable += row.error is not None

    def flush(self) -> None:
        """Onto the disk, so that a power failure does not lose it either."""
        with self._lock:
            self._database.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def holds_rows(self) -> bool:
        with self._lock:
            return self._database.execute("SELECT 1 FROM answered LIMIT 1").fetchone() is not None

    def rows(self, *, at_once: int) -> Iterator[list[Answered]]:
        """All rows by address, some at once."""
        asked = f"SELECT {_COLUMNS} FROM answered ORDER BY address"  # noqa: S608  our own names
        cursor = self._database.execute(asked)
        while some := cursor.fetchmany(at_once):
            yield [Answered._make(each) for each in some]

    def counted(self, question: str) -> list[tuple[Any, ...]]:
        """The answer to a question in SQL about the table `answered`."""
        with self._lock:
            return self._database.execute(question).fetchall()

    def discard(self) -> None:
        """Remove it from the disk: its rows lie in the results."""
        # Before it is closed, so that no other process opens what is about to go.
        _remove(self.path)
        self._database.close()

    def _is_done(self, key: bytes, *, tag: str) -> bool:
        asked = "SELECT tag, again, error FROM answered WHERE address = ?"
        found = self._database.execute(asked, (key,)).fetchone()
        if found is None:
            return False
        kept, again, error = found
        if kept != tag and not again:  # the sample changed: it counts when it is read anew
            self.answered -= 1
            self.unreadable -= error is not None
        return kept == tag and not again


def open_journal(path: Path, *, header: Mapping[str, str], restart: bool = False) -> Journal:
    """The journal at `path`, made where there is none, and emptied first on `restart`.

    Raises ResultsTaken where another process has it open, or where it was begun for another
    archive or pack than `header` says; OSError where the place cannot be written.
    """
    try:
        database = sqlite3.connect(path, isolation_level=None, timeout=0.2, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise _unusable(error, path=path) from None
    try:
        for statement in [*_SETTINGS, *(_EMPTYING if restart else []), _HEADER, _ANSWERED]:
            database.execute(statement)
        _refuse_other(database, header={"form": FORM, **header}, path=path)
        return Journal(database, path=path)
    except (sqlite3.DatabaseError, ResultsTaken) as error:
        database.close()
        if isinstance(error, ResultsTaken):
            raise
        if restart and _is_damaged(error):
            _remove(path)
            return open_journal(path, header=header)
        raise _unusable(error, path=path) from None


def _unusable(error: sqlite3.DatabaseError, *, path: Path) -> ResultsTaken | OSError:
    if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
        return ResultsTaken(
            f"Another process is writing {path.name}. Wait for it, or name another --out."
        )
    if _is_damaged(error):
        return ResultsTaken(
            f"{path.name} is damaged, or no journal of firstread screen. Start over with "
            "--restart, or name another --out."
        )
    return OSError(errno.EIO, str(error), str(path))


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _remove(path: Path) -> None:
    for ending in ("", "-wal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _refuse_other(database: sqlite3.Connection, *, header: Mapping[str, str], path: Path) -> None:
    kept = dict(database.execute("SELECT key, value FROM header"))
    if database.execute("SELECT 1 FROM answered LIMIT 1").fetchone() is None:
        # Nothing was answered for whatever it was begun with.
        database.execute("BEGIN IMMEDIATE")
        database.execute("DELETE FROM header")
        database.executemany("INSERT INTO header VALUES (?, ?)", header.items())
        database.execute("COMMIT")
        return
    for key, value in header.items():
        if kept.get(key) != value:
            raise ResultsTaken(
                f"{path.name} was begun with another {HEADER[key]} "
                f"({_shown(kept.get(key))}). Name another --out, or start over with --restart."
            )


def _shown(value: str | None) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in value or "unknown")
