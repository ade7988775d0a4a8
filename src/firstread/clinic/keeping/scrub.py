"""What was deleted leaves the database's files as well, not its tables alone."""

from __future__ import annotations

import time
from pathlib import Path

from django.db import connection

SMALL_BYTES = 1_000_000_000
"""Up to this size the whole file is written anew, which holds up whoever writes for seconds."""
PATIENCE_S = 10.0


def scrub(*, thoroughly: bool) -> str:
    """Clear away what deleted rows left; returns what is left to do, or ''.

    `thoroughly`: also what an older Firstread deleted, which did not write over it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
        return ""
    return _scrub_sqlite(thoroughly=thoroughly)


def _scrub_sqlite(*, thoroughly: bool) -> str:
    name = str(connection.settings_dict["NAME"])
    left = ""
    with connection.cursor() as cursor:
        # The index of words keeps those of deleted rows until its pieces are put together.
        cursor.execute(
            "INSERT INTO clinic_casewords_trigrams(clinic_casewords_trigrams) VALUES ('optimize')"
        )
        if thoroughly and Path(name).stat().st_size <= SMALL_BYTES:
            cursor.execute("VACUUM")
        elif thoroughly:
            left = (
                f"The database is larger than {SMALL_BYTES / 1e9:.0f} GB: what older versions "
                f"deleted may still stand in its free space. Stop Firstread once, and run: sqlite3 "
                f"{name} VACUUM"
            )
        end_s = time.monotonic() + PATIENCE_S
        while True:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_) = cursor.fetchone()
            if not busy:
                return left
            if time.monotonic() > end_s:
                return left or (
                    "Somebody reads from the database all the time: what was erased stands in its "
                    "-wal file until it is written next."
                )
            time.sleep(0.2)
