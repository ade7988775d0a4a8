"""The audit trail: one chain of rows, each sealed with the hash of the one before."""

from __future__ import annotations

from django.db import models

CHANGES = ~models.Q(action="viewed") & ~models.Q(action="signed_in") & ~models.Q(action="refused")
"""Rows that change something that another person sees."""


class AuditRow(models.Model):
    """One change of state, or one look at a case. `at` is text, so that its hash never moves."""

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.CharField(max_length=40)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=40)
    case_id = models.UUIDField(null=True, db_index=True)
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["-number"], condition=CHANGES, name="audit_changes")]


class AuditHead(models.Model):
    """The newest row's number and seal, so that a cut-off end is noticed."""

    number = models.PositiveBigIntegerField()
    seal = models.CharField(max_length=64)
    signature = models.CharField(max_length=64)
    key = models.CharField(max_length=16, default="", help_text="The name of the key that seals.")
