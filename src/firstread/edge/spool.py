"""The spool: what this machine took in, until the clinic has it, through any loss of power."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from firstread.domain.errors import SpoolRefused
from firstread.edge.entries import Entry, Evidence, Incoming, Reading, Standing
from firstread.edge.kinds import KINDS
from firstread.edge.samples import Samples
from firstread.edge.spool_file import (
    NAME,
    alone,
    opened,
    send_again,
    standing_of,
    unusable,
)

MOST_AT_ONCE = 16
MOST_AT_ONCE_BYTES = 8 * 2**20
"""In one request: on a thin line little has to be sent again when it breaks."""
BESIDE_BYTES = 2**16
"""Room for what is written beside a sample: its read and evidence map."""
DISK_MARGIN_BYTES = 64 * 2**20
"""Left free on the disk, for the system needs to write, too."""

_COLUMNS = (
    "number, check_name, accession, patient, name, kind, many, sha256, size_bytes, boot, boot_s, "
    "state, refusal, tries, read, evidence, evidence_shape, alone, said, case_id, sent_at"
)
_WAITING = (
    f"SELECT {_COLUMNS} FROM entry WHERE state = 'waiting'"  # noqa: S608  our own columns
    " AND number NOT IN (SELECT value FROM json_each(?))"
)
# The plus keeps SQLite from looking at everything that waits: few rows have the same accession.
_WAITING_OF_CASE = (
    f"SELECT {_COLUMNS} FROM entry WHERE +state = 'waiting'"  # noqa: S608  our own columns
    " AND number NOT IN (SELECT value FROM json_each(?)) AND check_name = ? AND accession = ?"
)

log = logging.getLogger(__name__)


class Spool:
    """One folder with a database and samples. Threads may share it; processes may not."""

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        """Open or make it. Raises SpoolRefused where it is damaged, newer or in use."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.samples = Samples(root=folder / "samples")
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.RLock()
        self._held = alone(folder / "lock")
        try:
            self._db = opened(folder / NAME)
            self.samples.sweep(
                known={sha256 for (sha256,) in self._all("SELECT sha256 FROM entry")}
            )
        except sqlite3.DatabaseError as error:
            self._held.close()
            raise unusable(folder, error) from None
        except SpoolRefused:
            self._held.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._held.close()

    # Taking in

    def keep(self, incoming: Incoming, data: bytes) -> tuple[int, bool]:
        """Keep a sample; gives its number, and whether it is new. The same one is kept once.

        One that the clinic had refused is sent again. Raises OSError or sqlite3.OperationalError
        where the disk does not take it.
        """
        sha256 = self.samples.put(data)
        with self._writing():
            known = self._one(
                "SELECT number, state FROM entry"
                " WHERE check_name = ? AND accession = ? AND sha256 = ?",
                incoming.check,
                incoming.accession,
                sha256,
            )
            if known is not None:
                number, state = known
                if state == "held":
                    send_again(self._db, number=int(number))
                return int(number), False
            row = self._db.execute(
                "INSERT INTO entry (check_name, accession, patient, name, kind, many, sha256,"
                " size_bytes, boot, boot_s, state, refusal) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    incoming.check,
                    incoming.accession,
                    incoming.patient,
                    incoming.name,
                    incoming.kind,
                    incoming.many,
                    sha256,
                    len(data),
                    incoming.boot,
                    incoming.boot_s,
                    "waiting" if incoming.refusal else "unread",
                    incoming.refusal,
                ),
            )
            return int(row.lastrowid or 0), True

    def has_room(self, size_bytes: int) -> bool:
        """Whether a sample of that size fits; what the clinic has makes room for it."""
        needed = size_bytes + BESIDE_BYTES
        if shutil.disk_usage(self._folder).free < needed + DISK_MARGIN_BYTES:
            self._drop_sent(at_least_bytes=needed + DISK_MARGIN_BYTES)
            return shutil.disk_usage(self._folder).free >= needed + DISK_MARGIN_BYTES
        over = self.used_bytes() + needed - self._most_bytes
        if over > 0:
            over -= self._drop_sent(at_least_bytes=over)
        return over <= 0

    def used_bytes(self) -> int:
        found = self._one("SELECT sum(size_bytes + beside_bytes) FROM entry")
        return int(found[0] or 0) if found else 0

    # Reading

    def claim_unread(self) -> Entry | None:
        """The oldest sample that was not read yet, with one more try noted."""
        with self._writing():
            row = self._one(
                f"SELECT {_COLUMNS} FROM entry WHERE state = 'unread' ORDER BY number LIMIT 1"  # noqa: S608  our own columns
            )
            if row is None:
                return None
            entry = _entry(row)
            self._db.execute("UPDATE entry SET tries = tries + 1 WHERE number = ?", (entry.number,))
            return entry

    def write_read(self, number: int, reading: Reading) -> None:
        """Note what reading the sample gave; from now on it waits for the clinic."""
        evidence = reading.evidence
        with self._writing():
            self._db.execute(
                "UPDATE entry SET state = 'waiting', tries = 0, read = ?, refusal = ?,"
                " evidence = ?, evidence_shape = ?, beside_bytes = ?"
                " WHERE number = ? AND state = 'unread'",
                (
                    reading.read,
                    reading.refusal,
                    evidence.data if evidence else None,
                    " ".join(map(str, evidence.shape)) if evidence else "",
                    len(reading.read or "") + (len(evidence.data) if evidence else 0),
                    number,
                ),
            )

    # Sending

    def next_parcel(self, *, leaving_out: frozenset[int] = frozenset()) -> tuple[Entry, ...]:
        """The oldest sample that waits, with those of its case that go in the same request."""
        left_out = json.dumps(sorted(leaving_out))
        with self._lock:
            row = self._one(f"{_WAITING} ORDER BY number LIMIT 1", left_out)
            if row is None:
                return ()
            first = _entry(row)
            if not _goes_with_others(first):
                return (first,)
            rows = self._all(
                f"{_WAITING_OF_CASE} AND patient = ? AND many AND NOT alone"
                " AND refusal = '' AND kind = ? ORDER BY number LIMIT ?",
                left_out,
                first.check,
                first.accession,
                first.patient,
                first.kind,
                MOST_AT_ONCE,
            )
        parcel, size_bytes = [first], first.size_bytes
        for entry in map(_entry, rows[1:]):
            size_bytes += entry.size_bytes
            if size_bytes > MOST_AT_ONCE_BYTES:
                break
            parcel.append(entry)
        return tuple(parcel)

    def sent(self, numbers: tuple[int, ...], *, case_id: str, at: datetime) -> None:
        """The clinic has them, and answered at that moment."""
        with self._writing():
            self.note("last contact", at.isoformat(timespec="seconds"))
            self.note("trouble", "")
            for number in numbers:
                self._db.execute(
                    "UPDATE entry SET state = 'sent', said = '', case_id = ?, sent_at = ?"
                    " WHERE number = ? AND state = 'waiting'",
                    (case_id, at.timestamp(), number),
                )
            self._count("sent", len(numbers))

    def delivered_refused(self, number: int, *, at: datetime) -> None:
        """The clinic has the bytes and keeps them as refused, as this machine said they are."""
        with self._writing():
            self.sent((number,), case_id="", at=at)
            self._count("refused", 1)

    def hold(self, number: int, *, said: str) -> None:
        """The clinic will not take it: it is kept here with what the clinic said."""
        with self._writing():
            self._db.execute(
                "UPDATE entry SET state = 'held', said = ? WHERE number = ?", (said[:500], number)
            )

    def hold_lost(self, entry: Entry) -> None:
        """Its bytes cannot be had any more: it is kept without them, and says so."""
        log.error("the bytes of sample %d are gone or changed on this disk", entry.number)
        self.hold(
            entry.number,
            said="The bytes of this sample are gone or changed on this machine's disk. Check the "
            "disk, and put the sample in again.",
        )

    def send_alone(self, numbers: tuple[int, ...]) -> None:
        """Send each by itself from now on, for one of them keeps the others out."""
        with self._writing():
            for number in numbers:
                self._db.execute("UPDATE entry SET alone = 1 WHERE number = ?", (number,))

    def tried(self, number: int, *, said: str) -> int:
        """Note a try that failed for this one sample; gives how many there were."""
        with self._writing():
            self._db.execute(
                "UPDATE entry SET tries = tries + 1, said = ? WHERE number = ?",
                (said[:500], number),
            )
            found = self._one("SELECT tries FROM entry WHERE number = ?", number)
            return int(found[0]) if found else 0

    def bytes_of(self, entry: Entry) -> bytes | None:
        return self.samples.open(entry.sha256)

    # Looking after it

    def prune(self, *, sent_before: float) -> int:
        """Forget what the clinic has had since before then, bytes, names and all."""
        return self._forget(
            "SELECT number, sha256, size_bytes FROM entry WHERE state = 'sent' AND sent_at < ?",
            sent_before,
        )[0]

    def note(self, name: str, value: str) -> None:
        with self._writing():
            self._db.execute(
                "INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", (name, value)
            )

    def noted(self, name: str) -> str:
        found = self._one("SELECT value FROM note WHERE name = ?", name)
        return str(found[0]) if found else ""

    def identity(self) -> str:
        """What makes this spool's requests its own; made once."""
        with self._writing():
            if not self.noted("identity"):
                self.note("identity", uuid.uuid4().hex)
            return self.noted("identity")

    def boots(self) -> dict[str, float]:
        """When each boot of this machine began, as far as is known, in seconds since 1970."""
        return {str(name): float(at) for name, at in self._all("SELECT id, began_at FROM boot")}

    def note_boot(self, boot: str, *, began_at: float) -> None:
        with self._writing():
            self._db.execute(
                "INSERT OR REPLACE INTO boot (id, began_at) VALUES (?, ?)", (boot, began_at)
            )

    def standing(self) -> Standing:
        with self._lock:
            return standing_of(self._db)

    # Beneath

    def _drop_sent(self, *, at_least_bytes: int) -> int:
        """Forget what the clinic has, oldest first, until so many bytes are free; gives them."""
        return self._forget(
            "SELECT number, sha256, size_bytes FROM entry WHERE state = 'sent'"
            " ORDER BY sent_at, number",
            at_least_bytes=at_least_bytes,
        )[1]

    def _forget(
        self, which: str, *values: Any, at_least_bytes: int | None = None
    ) -> tuple[int, int]:
        count = freed_bytes = 0
        with self._writing():
            for number, sha256, size_bytes in self._all(which, *values):
                if at_least_bytes is not None and freed_bytes >= at_least_bytes:
                    break
                self._db.execute("DELETE FROM entry WHERE number = ?", (number,))
                count += 1
                freed_bytes += int(size_bytes)
                if not self._one("SELECT 1 FROM entry WHERE sha256 = ?", sha256):
                    # Should the power fail before the row is gone, the clinic has the bytes.
                    self.samples.delete(str(sha256))
        return count, freed_bytes

    def _count(self, name: str, more: int) -> None:
        self.note(f"{name} in all", str(int(self.noted(f"{name} in all") or 0) + more))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; within another it joins it."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        with self._lock:
            found: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
            return found

    def _all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()


def _entry(row: tuple[Any, ...]) -> Entry:
    named = dict(zip(_COLUMNS.split(", "), row, strict=True))
    shape = tuple(int(each) for each in str(named.pop("evidence_shape")).split())
    data, check = named.pop("evidence"), named.pop("check_name")
    return Entry(
        **{
            **named,
            "check": check,
            "many": bool(named["many"]),
            "alone": bool(named["alone"]),
            "evidence": None if data is None else Evidence(shape=shape, data=data),
        }
    )


def _goes_with_others(entry: Entry) -> bool:
    """Whether others of its case may go in the same request."""
    return (
        entry.many
        and bool(entry.accession)
        and KINDS[entry.kind].together
        and not entry.refusal
        and not entry.alone
    )
