"""Reads: what packs said of the samples of cases."""

from __future__ import annotations

from django.db import models

from firstread.clinic.models.cases import CaseSample


class ReadRow(models.Model):
    """What one pack said of one sample of a case; never changed afterwards.

    `body` is `Read.as_dict()` without its beats, with their counts; `beats` is what
    `pack_beats` makes of them; `evidence` a compressed numpy array, [K, h, w] of float16 or, for
    each beat of a recording, [B, t] of bytes.
    """

    case_sample = models.ForeignKey(CaseSample, on_delete=models.CASCADE, related_name="reads")
    shadow = models.BooleanField(default=False)
    pack = models.CharField(max_length=120)
    version = models.CharField(max_length=32)
    pack_sha256 = models.CharField(max_length=64)
    body = models.JSONField()
    evidence = models.BinaryField(null=True)
    beats = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case_sample"], condition=models.Q(shadow=False), name="first_read_once"
            ),
            models.UniqueConstraint(
                fields=["case_sample", "pack", "version", "shadow"], name="read_once"
            ),
        ]
