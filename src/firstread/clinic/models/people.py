"""People, what they may do, and the checks they read."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    TECHNICIAN = "technician", "Technician"
    SPECIALIST = "specialist", "Specialist"
    CHIEF = "chief", "Chief"
    OPERATOR = "operator", "Operator"


class Person(AbstractUser):
    """Somebody who signs in; has one role, and reads the checks that `Reader` rows name."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.TECHNICIAN)

    class Meta(AbstractUser.Meta):
        verbose_name_plural = "people"

    @property
    def decides(self) -> bool:
        """Whether this person may review and amend."""
        return self.role in (Role.SPECIALIST, Role.CHIEF)

    @property
    def operates(self) -> bool:
        """Whether this person sets up people and checks."""
        return self.role == Role.OPERATOR


class Check(models.Model):
    """A question asked of a sample, the pack that reads it first, and who must decide."""

    name = models.SlugField(primary_key=True)
    title = models.CharField(max_length=120)
    pack = models.CharField(max_length=120, help_text="The champion: the pack that reads first.")
    kind = models.CharField(max_length=16)
    many = models.BooleanField(default=False, help_text="A case may hold many samples.")
    readers = models.PositiveSmallIntegerField(
        choices=[(1, "One specialist"), (2, "Two, and the chief where they differ")], default=1
    )
    tells_requester = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    people = models.ManyToManyField(Person, through="Reader", related_name="checks")

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Reader(models.Model):
    """This specialist reads this check, and is told of its cases."""

    check_row = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="readers_of")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="reads")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["check_row", "person"], name="reader_once")]
