"""Reads: what packs said of the samples of cases; first reads are shown, shadow reads never.

Only here does anything ask whether a read is a shadow read. `ReadRow.objects` gives first reads,
and no other row leads to a read: who does not ask for shadow reads by name cannot meet one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import models

from firstread.clinic.models.cases import Case, CaseSample

PACKS_THAT_READ = "SELECT DISTINCT pack, version, pack_sha256 FROM clinic_readrow ORDER BY 1, 2"
"""For backups, which take along every pack by which anything was read, shadow reads too."""


class FirstReads(models.Manager["ReadRow"]):
    """What the checks' champions said."""

    def get_queryset(self) -> models.QuerySet[ReadRow]:
        return super().get_queryset().filter(shadow=False)

    def without_arrays(self) -> models.QuerySet[ReadRow]:
        """Without what a page full of cases does not show, and would have to load."""
        return self.defer("evidence", "beats", "embedding")


class ShadowReads(models.Manager["ReadRow"]):
    """What challengers said: for comparing packs, never for a person who decides."""

    def get_queryset(self) -> models.QuerySet[ReadRow]:
        return super().get_queryset().filter(shadow=True)

    def keep(self, rows: Iterable[ReadRow]) -> None:
        """Store the rows as shadow reads; what the same pack said before stays as it is."""
        rows = list(rows)
        for row in rows:
            row.shadow = True
        self.bulk_create(rows, ignore_conflicts=True)


class KeptRead(models.Model):
    """The columns of a read.

    `body` is `Read.as_dict()` without its beats, with their counts; `beats` is what
    `pack_beats` makes of them; `evidence` a compressed numpy array, [K, h, w] of float16 or, for
    each beat of a recording, [B, t] of bytes; `embedding` little-endian float16 [D], as
    `pack_embedding` makes it, None where the pack gave none or an older Firstread read.
    """

    # No way back from a sample, whose queries would pass the managers by.
    case_sample = models.ForeignKey(CaseSample, on_delete=models.CASCADE, related_name="+")
    shadow = models.BooleanField(default=False)
    pack = models.CharField(max_length=120)
    version = models.CharField(max_length=32)
    pack_sha256 = models.CharField(max_length=64)
    body = models.JSONField()
    evidence = models.BinaryField(null=True)
    beats = models.BinaryField(null=True)
    embedding = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        abstract = True


class ReadRow(KeptRead):
    """What one pack said of one sample of a case; never changed, but perhaps replaced."""

    objects = FirstReads()
    shadow_reads = ShadowReads()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case_sample"], condition=models.Q(shadow=False), name="first_read_once"
            ),
            models.UniqueConstraint(
                fields=["case_sample", "pack", "version", "shadow"], name="read_once"
            ),
        ]


class ReplacedRead(KeptRead):
    """A read that stands no longer, for its case was moved to another check; all of it is kept."""

    replaced_at = models.DateTimeField()


def replace_reads(case: Case, *, at: datetime) -> None:
    """Let no read of the case stand any longer, shadow reads neither."""
    standing = ReadRow._base_manager.filter(case_sample__case=case)
    names = [field.attname for field in KeptRead._meta.fields]
    ReplacedRead.objects.bulk_create(
        ReplacedRead(replaced_at=at, **{name: getattr(read, name) for name in names})
        for read in standing
    )
    standing.delete()
