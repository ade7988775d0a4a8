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
    """No mail server is set up: the message stays on the outbox page."""


class Outgoing(models.Model):
    """One message to one person. `key` says what it is about, so that it is written once."""

    key = models.CharField(max_length=200, unique=True)
    channel = models.CharField(max_length=16, default="mail")
    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="outgoing")
    to = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="outgoing")
    address = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    state = models.CharField(
        max_length=16, choices=OutgoingState.choices, default=OutgoingState.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    claimed_until = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "retry_at"], name="outgoing_due")]
