"""Outages: what has stopped, and whether the operators have been told."""

from __future__ import annotations

from django.db import models


class Outage(models.Model):
    """Something of the clinic that stands still; gone once it goes again."""

    what = models.CharField(primary_key=True, max_length=160)
    """Such as reading:leukaemia, mail, or disk@HOST of one machine."""
    number = models.BigIntegerField(help_text="Tells it from an earlier one of the same.")
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    says = models.CharField(max_length=300)
    """A sentence without a path, a name or a finding."""

    class Meta:
        ordering = ["since"]
