"""The workers that are there: each says so every few seconds."""

from __future__ import annotations

from django.db import models


class WorkerRow(models.Model):
    """One process that reads and delivers; gone when it ends, and not believed when it is silent.

    `cannot_read` says why, by check, what it leaves to others at the moment.
    """

    name = models.CharField(primary_key=True, max_length=120)
    """Its machine, its number there, and a word of its own."""
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ahead_s = models.FloatField(help_text="How far its machine's clock is ahead of the database's.")
    reads = models.BooleanField(help_text="Whether it reads cases, and does not only deliver.")
    cannot_read = models.JSONField(default=dict)

    class Meta:
        ordering = ["name"]
