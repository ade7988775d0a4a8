"""A case is read anew: what was read of it no longer stands, and all of it is kept."""

from __future__ import annotations

from django.db import transaction

from firstread.clinic.models import Case, clock
from firstread.clinic.models.reads import replace_reads
from firstread.clinic.outbox.take_out import take_out_letters
from firstread.clinic.queue import wake
from firstread.domain.case import CaseState
from firstread.domain.priority import Priority


def begin_anew(case: Case) -> None:
    """As if it had come in now, whoever may be reading it at the moment; the caller saves it."""
    replace_reads(case, at=clock.now())
    take_out_letters(case)
    case.state, case.waits_for, case.priority = CaseState.RECEIVED, "", Priority.ROUTINE
    case.finding, case.probability, case.unfit_reason = "", None, ""
    case.doubt = case.left_out = case.motif = case.looks_like = ""
    case.read_at = case.retry_at = case.claimed_until = case.held_by = None
    case.attempts = 0
    transaction.on_commit(wake.reading.ring)
