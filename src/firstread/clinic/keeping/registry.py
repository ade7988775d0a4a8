"""The backups that were made, as the database knows them."""

from __future__ import annotations

from datetime import timedelta

from firstread.clinic.models import BackupRow, clock

OLD = timedelta(days=8)
"""Whoever backs up weekly, or oftener, has a newer one."""


def said() -> tuple[str, bool]:
    """When the last whole copy was made, in a sentence, and whether that is long ago."""
    last = BackupRow.objects.filter(ended_at__isnull=False).order_by("began_at").last()
    if last is None:
        return "No copy was made with 'firstread backup'.", False
    on = f"The last copy was made on {last.began_at:%Y-%m-%d at %H:%M} UTC"
    return f"{on}, in {last.place.partition(':')[2]}.", clock.now() - last.began_at > OLD
