"""The beats of a recording as they were first read."""

from __future__ import annotations

from firstread.clinic.models import ReadRow
from firstread.clinic.shown.case import CaseView
from firstread.clinic.storage.beats_bytes import Beats
from firstread.clinic.storage.reads import beats_of
from firstread.domain.errors import UnknownCase


def beats_at(view: CaseView, *, position: int) -> Beats:
    """The beats of the sample in that place; raises UnknownCase where none were read."""
    for cell in view.cells:
        if cell.position == position and cell.read and cell.counts:
            if not cell.has_evidence:
                verdict = cell.read.verdict
                raise UnknownCase(f"No beats are shown. {verdict.says}: {verdict.why}")
            row = ReadRow.objects.filter(case_sample=cell.case_sample).first()
            if row is not None:
                return beats_of(row)
    raise UnknownCase("No beats were read there. Look at the case for its samples.")
