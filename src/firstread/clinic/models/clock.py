"""The time, by the database's clock: machines' own clocks may be minutes apart."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

_ASK = {
    "postgresql": "SELECT clock_timestamp()",
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
}


def now() -> datetime:
    """What the database's clock says; two moments that are compared must both be its own."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK[connection.vendor])
        (said,) = cursor.fetchone()
    return said if isinstance(said, datetime) else datetime.fromisoformat(said).replace(tzinfo=UTC)
