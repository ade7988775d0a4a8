"""The file of a spool: its tables, its version, and who may open it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from firstread.domain.errors import SpoolRefused
from firstread.edge.entries import Standing

NAME = "spool.sqlite3"
VERSION = 1
"""Of the tables below. Another version refuses the spool; it is never changed in place."""
APPLICATION = 0x46524544
"""Marks the file as ours, in SQLite's header."""

_TABLES = """
CREATE TABLE entry (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  check_name TEXT NOT NULL,
  accession TEXT NOT NULL,
  patient TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  many INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  boot TEXT NOT NULL,
  boot_s REAL NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('unread', 'waiting', 'sent', 'held')),
  refusal TEXT NOT NULL DEFAULT '',
  tries INTEGER NOT NULL DEFAULT 0,
  beside_bytes INTEGER NOT NULL DEFAULT 0,
  read TEXT,
  evidence BLOB,
  evidence_shape TEXT NOT NULL DEFAULT '',
  alone INTEGER NOT NULL DEFAULT 0,
  said TEXT NOT NULL DEFAULT '',
  case_id TEXT NOT NULL DEFAULT '',
  sent_at REAL,
  UNIQUE (check_name, accession, sha256)
) STRICT;
CREATE INDEX entry_state ON entry (state, number);
CREATE INDEX entry_size ON entry (size_bytes, beside_bytes);
CREATE TABLE boot (id TEXT PRIMARY KEY, began_at REAL NOT NULL) STRICT;
CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


def look_at(folder: Path) -> Standing:
    """How a spool stands, while another process works with it; raises SpoolRefused."""
    with _beside(folder) as db:
        return standing_of(db)


def resend(folder: Path, *, numbers: Sequence[int] = ()) -> int:
    """Let what the clinic refused wait anew, those or all; gives how many; raises SpoolRefused."""
    with _beside(folder) as db:
        if not numbers:
            return send_again(db)
        return sum(send_again(db, number=number) for number in numbers)


@contextmanager
def _beside(folder: Path) -> Iterator[sqlite3.Connection]:
    file = folder / NAME
    if not file.is_file():
        raise SpoolRefused(
            f"There is no spool in '{folder}'. Name the folder with --spool, as 'firstread edge' "
            "was started."
        )
    try:
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = FULL")
            _refuse_other_versions(db, folder)
            yield db
    except sqlite3.DatabaseError as error:
        raise unusable(folder, error) from None


def send_again(db: sqlite3.Connection, *, number: int | None = None) -> int:
    """Let what the clinic refused wait anew, one or all; gives how many there were."""
    done = db.execute(
        "UPDATE entry SET state = 'waiting', said = '', tries = 0, alone = 1"
        " WHERE state = 'held' AND number = ifnull(?, number)",
        (number,),
    )
    return done.rowcount


def standing_of(db: sqlite3.Connection) -> Standing:
    states = dict(db.execute("SELECT state, count(*) FROM entry GROUP BY state").fetchall())
    notes = dict(db.execute("SELECT name, value FROM note").fetchall())
    held = db.execute(
        "SELECT number, check_name, said FROM entry WHERE state = 'held' ORDER BY number LIMIT 20"
    ).fetchall()
    used = db.execute("SELECT ifnull(sum(size_bytes + beside_bytes), 0) FROM entry").fetchone()
    return Standing(
        unread=states.get("unread", 0),
        waiting=states.get("waiting", 0),
        held=states.get("held", 0),
        sent=int(notes.get("sent in all", 0)),
        refused=int(notes.get("refused in all", 0)),
        used_bytes=int(used[0]),
        last_contact=notes.get("last contact", ""),
        trouble=notes.get("trouble", ""),
        held_entries=tuple((int(n), str(check), str(said)) for n, check, said in held),
    )


def opened(file: Path) -> sqlite3.Connection:
    new = not file.exists()
    if new:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    db = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        empty = db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
        if not empty:
            _refuse_other_versions(db, file.parent)
        db.execute("PRAGMA journal_mode = WAL")
        # Each commit is on the disk before it returns: what a file was moved away for is there.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")  # names of patients must not linger in free pages
        if empty:
            db.executescript(
                f"BEGIN IMMEDIATE; {_TABLES} PRAGMA application_id = {APPLICATION};"
                f" PRAGMA user_version = {VERSION}; COMMIT;"
            )
    except (sqlite3.DatabaseError, SpoolRefused):
        db.close()
        raise
    return db


def _refuse_other_versions(db: sqlite3.Connection, folder: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise SpoolRefused(f"'{folder / 'spool.sqlite3'}' is no spool. Name another folder.")
    if version != VERSION:
        raise SpoolRefused(
            f"The spool in '{folder}' is of version {version}, and this Firstread opens version "
            f"{VERSION}. Send what waits with the Firstread that wrote it, then begin a new folder."
        )


def alone(file: Path) -> IO[bytes]:
    held = file.open("wb")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise SpoolRefused(
            f"Another 'firstread edge' works with the spool in '{file.parent}'. Stop it first, or "
            "name another folder with --spool."
        ) from None
    return held


def unusable(folder: Path, error: sqlite3.DatabaseError) -> SpoolRefused:
    return SpoolRefused(
        f"The spool in '{folder}' cannot be used ({error}). Check the disk and its space. If the "
        "file is damaged, move the folder away and start again: the samples lie in it, each under "
        "its hash, and can be put into the inbox again."
    )
