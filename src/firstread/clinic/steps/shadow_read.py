"""The shadow read: what a challenger says of samples, kept beside the first reads, never shown."""

from __future__ import annotations

from collections.abc import Mapping

from firstread.clinic.models import CaseSample, ReadRow, clock
from firstread.clinic.storage.reads import row_of
from firstread.packs import Manifest
from firstread.runtime import Outcome


def keep(outcomes: Mapping[CaseSample, Outcome], *, manifest: Manifest) -> None:
    """Store what the challenger of that manifest said of each sample; once, if said twice.

    The case stays as it is, and so does its history: nobody who decides may be led by a pack that
    nobody has promoted.
    """
    now = clock.now()
    ReadRow.shadow_reads.keep(
        row_of(outcome, case_sample=sample, codes=manifest.codes, at=now)
        for sample, outcome in outcomes.items()
    )
