"""What people said of a case: reviews, sign-offs, amendments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import models

from firstread.clinic.models.cases import Case
from firstread.clinic.models.people import Person
from firstread.domain.case import Basis


class Void(models.TextChoices):
    """Why an answer counts no longer."""

    MOVED = "moved"
    """Its case was moved to another check."""
    TAKEN_BACK = "taken_back"
    """Who gave it took it back."""


class Review(models.Model):
    """One specialist's recorded answer."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reviews")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="reviews")
    label = models.CharField(max_length=64)
    agrees = models.BooleanField(help_text="The same label as the first read.")
    as_chief = models.BooleanField(default=False)
    comment = models.TextField(blank=True, max_length=4000)
    at = models.DateTimeField()
    final_at = models.DateTimeField(
        null=True, help_text="Somebody saw it, or its author what came of it: it is not taken back."
    )

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["case", "by"], name="review_once")]


class VoidReview(models.Model):
    """An answer that counts no longer, as it was given, and why it does not."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="void_reviews")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(max_length=64)
    comment = models.TextField(blank=True, max_length=4000)
    at = models.DateTimeField()
    void_at = models.DateTimeField()
    because = models.CharField(max_length=16, choices=Void.choices)

    class Meta:
        ordering = ["at"]


def void(reviews: Sequence[Review], *, because: Void, at: datetime) -> None:
    """Let these answers count no longer: they are kept as they were given."""
    VoidReview.objects.bulk_create(
        VoidReview(
            case_id=each.case_id,
            by_id=each.by_id,
            label=each.label,
            comment=each.comment,
            at=each.at,
            void_at=at,
            because=because,
        )
        for each in reviews
    )
    Review.objects.filter(pk__in=[each.pk for each in reviews]).delete()


class SignOff(models.Model):
    """The decision that ends a case (`number` 0), and each amendment after it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="sign_offs")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=64)
    basis = models.CharField(max_length=16, choices=[(b.value, b.value) for b in Basis])
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sign_offs")
    comment = models.TextField(blank=True, max_length=4000)
    at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="sign_off_once")]
