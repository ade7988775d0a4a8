"""What is kept of keeping: rounds that go on where they were left, and what they found."""

from __future__ import annotations

from django.db import models

from firstread.clinic.models.cases import Case


class Chore(models.Model):
    """Work that comes round again and again, done by one process at a time.

    `position` says how far the round under way has come; where it was broken off it goes on there.
    """

    name = models.CharField(primary_key=True, max_length=40)
    position = models.CharField(max_length=300, blank=True)
    counts = models.JSONField(default=dict, help_text="What the round under way has come to.")
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="When the last whole round ended.")
    claimed_until = models.DateTimeField(null=True)
    held_by = models.UUIDField(null=True, help_text="Whoever claimed it knows this number.")


class Ails(models.TextChoices):
    MISSING = "missing", "Missing"
    DAMAGED = "damaged", "Damaged"
    UNREADABLE = "unreadable", "Out of reach"
    ORPHANED = "orphaned", "Orphaned"
    """Bytes that no row speaks of."""


class StoreFault(models.Model):
    """What is wrong with the bytes in one place of the store, such as `3f/3fa9...`."""

    place = models.CharField(primary_key=True, max_length=300)
    ails = models.CharField(max_length=16, choices=Ails.choices)
    size_bytes = models.PositiveBigIntegerField(default=0, help_text="Of what is orphaned.")
    found_at = models.DateTimeField()

    class Meta:
        ordering = ["place"]


class BackupRow(models.Model):
    """A copy that was made; whoever erases a patient must know where copies of them still lie."""

    name = models.CharField(max_length=40, help_text="Of its folder, such as 20261129T130522Z.")
    place = models.CharField(max_length=600, help_text="The machine and the folder on it.")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="When it was whole.")
    gone_at = models.DateTimeField(null=True, help_text="When it was deleted for newer ones.")
    samples = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["began_at"]


class Restored(models.Model):
    """The site was brought back from a copy: nothing leaves until an operator says that it may.

    The site that the copy was made of may still run, and has told people more than the copy knows.
    """

    name = models.CharField(max_length=40)
    made_at = models.DateTimeField(help_text="When the copy was made.")
    restored_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)


class Hold(models.Model):
    """A case that is neither erased nor thinned out until somebody lets it go: a legal hold."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="hold")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
