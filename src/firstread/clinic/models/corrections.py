"""What was put in wrongly, and what became of it: corrected, withdrawn, reinstated."""

from __future__ import annotations

from django.db import models

from firstread.clinic.models.cases import Case, Patient
from firstread.clinic.models.people import Person


class Mending(models.TextChoices):
    """What was done about a case that was put in wrongly."""

    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    REINSTATED = "reinstated"


class Correction(models.Model):
    """One act about what was put in wrongly, with what it said before; the audit trail names it.

    Accessions, patients and reasons stand here and not in the trail, which outlives them.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="corrections")
    number = models.PositiveIntegerField(help_text="Counted from 1 within the case.")
    action = models.CharField(max_length=16, choices=Mending.choices)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.TextField(blank=True, max_length=4000)
    state_before = models.CharField(max_length=16)
    accession_before = models.CharField(max_length=64)
    accession_after = models.CharField(max_length=64)
    check_before = models.CharField(max_length=64)
    check_after = models.CharField(max_length=64)
    patient_before = models.ForeignKey(
        Patient, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    patient_after = models.ForeignKey(
        Patient, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="correction_once"),
        ]
        # For what comes in once more under the number that it had at first.
        indexes = [
            models.Index(fields=["check_before", "accession_before"], name="corrected_from"),
        ]
