"""The outbox: everything that has to leave, as rows, each delivered once."""

from __future__ import annotations

from django.db import models

from firstread.clinic.models.cases import Case
from firstread.clinic.models.people import Person


class OutgoingState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    GIVEN_UP = "given_up", "Given up"
    KEPT = "kept", "Kept here"
    """Its channel sends nothing: it stays on the outbox page."""
    WITHDRAWN = "withdrawn", "Withdrawn"
    """What it told of is no longer so; it never left."""


class Outgoing(models.Model):
    """One thing that leaves by one channel for one address.

    `key` says what it is about, so that it is written once, and the other side knows it again. It
    belongs to a case, to a person, to both or to neither.
    """

    key = models.CharField(max_length=200, unique=True)
    channel = models.CharField(max_length=16, help_text="One of connect/channels.py.")
    address = models.CharField(max_length=500)
    payload = models.JSONField(help_text="What the channel sends.")
    payload_kind = models.CharField(max_length=16)
    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="outgoing")
    to = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="outgoing", db_index=False
    )
    state = models.CharField(
        max_length=16, choices=OutgoingState.choices, default=OutgoingState.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    unwanted = models.BooleanField(
        null=True, help_text="Withdrawn while it was on its way: not tried again."
    )
    claimed_until = models.DateTimeField(null=True)
    held_by = models.UUIDField(null=True, help_text="Whoever claimed it knows this number.")
    retry_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    waits_since = models.DateTimeField(help_text="Written, or sent again by a person.")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["channel", "retry_at"],
                condition=models.Q(state="waiting"),
                name="outgoing_due",
            ),
            # For the pages, which show the newest first, and of these a few.
            models.Index(fields=["to", "-id"], name="outgoing_of_person"),
            models.Index(fields=["to", "state", "-id"], name="outgoing_of_person_by_state"),
            models.Index(fields=["state", "-id"], name="outgoing_by_state"),
            models.Index(fields=["channel", "-id"], name="outgoing_by_channel"),
        ]


class Resting(models.Model):
    """An address that takes nothing at the moment, or a whole channel: left alone until then."""

    channel = models.CharField(max_length=16)
    address = models.CharField(max_length=500, blank=True, help_text="Empty: the whole channel.")
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    until = models.DateTimeField()
    last_error = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "address"], name="resting_once"),
        ]
