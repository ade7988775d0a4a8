"""Cases and their samples: the rows that are the queue."""

from __future__ import annotations

import uuid

from django.db import models

from firstread.clinic.models.people import Check, Person
from firstread.domain.case import DECIDED, NO_RESULT, CaseState
from firstread.domain.priority import Priority
from firstread.domain.verdict import Doubt, Verdict, verdict_of_doubt

IS_OPEN = models.Q(decided_at__isnull=True, withdrawn_at__isnull=True)
IS_DECIDED = models.Q(decided_at__isnull=False)
"""A case that has a decision keeps it: with the state it gets its time, in one statement."""
IS_WITHDRAWN = models.Q(withdrawn_at__isnull=False)
BY_URGENCY = ("-priority", "received_at", "id")
"""The order of cases that wait."""
BY_DECISION = ("-decided_at", "id")
"""The order of those that are decided."""
BY_WITHDRAWAL = ("-withdrawn_at", "id")
"""The order of those that were withdrawn."""


class Patient(models.Model):
    """The person, known by an identifier of the site."""

    identifier = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200, blank=True)
    birth_date = models.DateField(null=True, blank=True)


class Sample(models.Model):
    """What was put in to be read; its bytes lie in the store under the same hash."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=16)
    media_type = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    width_px = models.PositiveIntegerField(null=True)
    height_px = models.PositiveIntegerField(null=True)
    received_at = models.DateTimeField()
    bytes_erased_at = models.DateTimeField(null=True, help_text="Set where only the row is kept.")


class Case(models.Model):
    """One check of one accession: its samples, reads, reviews, sign-off.

    A step claims a case by setting `claimed_until`; a case whose lease ran out is claimed again.
    `part` counts the cases of one accession and check: samples that come after people began to
    answer open the next part.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    check_row = models.ForeignKey(Check, on_delete=models.PROTECT, related_name="cases")
    accession = models.CharField(max_length=64)
    part = models.PositiveIntegerField(default=1)
    patient = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="cases")
    requester = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="requested"
    )
    door = models.CharField(max_length=16)
    state = models.CharField(
        max_length=16, choices=[(s.value, s.value) for s in CaseState], default=CaseState.RECEIVED
    )
    priority = models.PositiveSmallIntegerField(
        choices=[(p.value, p.name.lower()) for p in Priority], default=Priority.ROUTINE
    )
    waits_for = models.CharField(max_length=16, blank=True, help_text="specialist, chief or nobody")
    finding = models.CharField(max_length=64, blank=True)
    probability = models.FloatField(null=True)
    unfit_reason = models.CharField(max_length=300, blank=True)
    doubt = models.CharField(
        max_length=16,
        blank=True,
        choices=[(d.value, d.value) for d in Doubt],
        help_text="Why the finding does not stand as it is; empty where it does.",
    )
    motif = models.CharField(
        max_length=64, blank=True, help_text="What its pictures show, where it is another's."
    )
    looks_like = models.CharField(max_length=120, blank=True, help_text="The same in words.")
    left_out = models.CharField(
        max_length=300, blank=True, help_text="How many samples count, and why others do not."
    )
    received_at = models.DateTimeField(db_index=True)
    read_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    held_by = models.UUIDField(null=True, help_text="Whoever claimed it knows this number.")
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-priority", "received_at"]
        constraints = [
            models.UniqueConstraint(fields=["check_row", "accession", "part"], name="case_once"),
        ]
        # What follows the order in an index is asked of each case on the way through a list, so
        # that only those that are shown are looked at themselves.
        indexes = [
            models.Index(fields=["state", "-priority", "received_at"], name="case_worklist"),
            models.Index(
                fields=[*BY_URGENCY, "waits_for", "check_row", "decided_at", "withdrawn_at"],
                condition=IS_OPEN,
                name="case_open",
            ),
            models.Index(
                fields=[
                    "check_row",
                    *BY_URGENCY,
                    "waits_for",
                    "requester",
                    "decided_at",
                    "withdrawn_at",
                ],
                condition=IS_OPEN,
                name="case_open_by_check",
            ),
            models.Index(
                fields=["requester", *BY_URGENCY, "check_row", "decided_at", "withdrawn_at"],
                condition=IS_OPEN,
                name="case_open_by_requester",
            ),
            models.Index(
                fields=[*BY_DECISION, "check_row", "priority"],
                condition=IS_DECIDED,
                name="case_decided",
            ),
            models.Index(
                fields=["check_row", *BY_DECISION, "priority"],
                condition=IS_DECIDED,
                name="case_decided_by_check",
            ),
            models.Index(
                fields=["priority", *BY_DECISION, "check_row"],
                condition=IS_DECIDED,
                name="case_decided_by_priority",
            ),
            models.Index(
                fields=["check_row", "priority", *BY_DECISION],
                condition=IS_DECIDED,
                name="case_decided_by_both",
            ),
            models.Index(
                fields=[*BY_WITHDRAWAL, "check_row"], condition=IS_WITHDRAWN, name="case_withdrawn"
            ),
            models.Index(
                fields=["check_row", "-retry_at"],
                condition=models.Q(retry_at__isnull=False),
                name="case_tried_again",
            ),
        ]

    @property
    def decided(self) -> bool:
        return self.state in DECIDED

    @property
    def withdrawn(self) -> bool:
        return self.state == CaseState.WITHDRAWN

    def is_contradicted_by(self, decision: str) -> bool:
        """Whether a decision says otherwise than the first read, if that named a finding."""
        named = bool(self.finding) and self.verdict.names_finding
        return named and decision not in (self.finding, NO_RESULT)

    @property
    def verdict(self) -> Verdict:
        """Whether its finding stands, and what is shown where it does not."""
        doubt = Doubt(self.doubt) if self.doubt else None
        if not self.finding and self.state == CaseState.RECEIVED:
            doubt = None  # it is read anew, and nothing of an earlier read is shown
        elif not self.finding and (self.state == CaseState.UNFIT or self.unfit_reason):
            doubt = Doubt.UNFIT
        return verdict_of_doubt(
            doubt,
            why=self.unfit_reason,
            kind=self.check_row.kind,
            looks_like=self.looks_like if doubt is Doubt.WRONG_KIND else "",
        )


class CaseSample(models.Model):
    """A sample's place in a case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="samples")
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="in_cases")
    position = models.PositiveIntegerField()
    original_name = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["case", "sample"], name="sample_once_in_case")
        ]


class RefusedSample(models.Model):
    """What came in and could not be opened: kept in the store, with the sentence that says why."""

    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    door = models.CharField(max_length=16)
    check_name = models.CharField(max_length=64, blank=True)
    original_name = models.CharField(max_length=255, blank=True)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at"]
        indexes = [models.Index(fields=["-received_at"], name="refused_newest")]
        constraints = [
            models.UniqueConstraint(fields=["sha256", "check_name"], name="refused_once")
        ]
