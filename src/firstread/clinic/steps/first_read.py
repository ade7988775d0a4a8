"""The first read: claim a case, read its samples, write what the pack says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from firstread.clinic.checks.apart import read_apart
from firstread.clinic.checks.readers import CheckReader
from firstread.clinic.models import Case, CaseSample, Check, ReadRow, clock
from firstread.clinic.outbox.events import happened
from firstread.clinic.outbox.notify import Occasion, tell
from firstread.clinic.queue import cannot_read, presence
from firstread.clinic.queue.lease import Lease, claim, held, still_held
from firstread.clinic.queue.waiting import WAITS, last_trouble
from firstread.clinic.steps.corrections import moves
from firstread.clinic.steps.kinds import KINDS
from firstread.clinic.steps.trouble import Trouble, cannot_open, interrupted, trouble_of
from firstread.clinic.storage import store
from firstread.clinic.storage.reads import read_of, row_of
from firstread.domain.case import CaseState, alarm_stands, doubt_of_case, headline, shown_by
from firstread.domain.errors import (
    FirstreadError,
    SampleAtFault,
    StopsReaders,
    TroubleElsewhere,
)
from firstread.domain.left_out import counted
from firstread.domain.priority import Priority, priority_of_case
from firstread.domain.read import Read
from firstread.domain.verdict import Doubt
from firstread.packs import Manifest
from firstread.runtime import Outcome

log = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(minutes=5)
"""No case is left alone for longer than this."""
MOST_INTERRUPTED = 5
"""After so many readers that ended in the middle people are told that it waits."""
PLACES_TOLD = 3
"""Of how many places at most the history tells that they read a case."""


ReaderOf = Callable[[Check], CheckReader]
"""What reads for a check, such as `checks.readers.reader_of`."""


Apart = Callable[[Check, bytes], Outcome]
"""Reads a sample in a process of its own; raises StopsReaders where the sample stops that."""


@dataclass(kw_only=True)
class _Work:
    """What reading the samples of one case gave."""

    manifest: Manifest | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    refusals: dict[int, str] = field(default_factory=dict)
    """By what fault of its own a sample cannot be read."""
    trouble: Trouble | None = None
    """Why the case waits, though none of its samples is at fault."""


def read_next(reader_of: ReaderOf, *, apart: Apart = read_apart) -> bool:
    """Read the most pressing case that waits for its first read; returns whether there was one."""
    case = _claim()
    if case is None:
        return False
    with held(case, lease=_lease()) as lease:
        _write(case, _read_samples(case, reader_of, apart, lease=lease))
    return True


def _claim() -> Case | None:
    waiting = Case.objects.filter(state=CaseState.RECEIVED)
    if to_others := cannot_read.left_to_others():
        if cannot_read.ANYTHING in to_others:
            return None
        waiting = waiting.exclude(check_row__in=to_others)
    due_first = waiting.order_by("-priority", "received_at", "pk")
    return claim(due_first, lease=_lease(), longest_pause=LONGEST_WAIT)


def _lease() -> timedelta:
    return timedelta(seconds=settings.FIRSTREAD.reading.lease_s)


def _read_samples(case: Case, reader_of: ReaderOf, apart: Apart, *, lease: Lease[Case]) -> _Work:
    work = _Work()
    if case.attempts > MOST_INTERRUPTED and case.retry_at is None:
        work.trouble = interrupted(case.attempts - 1)
        return work
    try:
        reader = reader_of(case.check_row)
    except TroubleElsewhere as error:
        work.trouble = cannot_open(error, check=case.check_row_id)
        return work
    cannot_read.forget(case.check_row_id)
    work.manifest = reader.manifest
    # Whoever had it before ended in the middle. That may be for its sample: this process must not.
    suspect = case.attempts > 1
    read = partial(_apart, apart, case.check_row) if suspect else reader.read
    for sample in _unread(case):
        if lease.lost:
            break  # another reads it by now
        try:
            work.outcomes[sample.pk] = read(store.open(sample.sample_id))
        except SampleAtFault as error:
            work.refusals[sample.pk] = str(error)
        except (TroubleElsewhere, MemoryError, OSError) as error:
            work.trouble = trouble_of(error)
            if not work.trouble.of_one_sample:
                break
        else:
            _after_read(sample.sample_id, kind=reader.manifest.kind)
    return work


def _apart(apart: Apart, check: Check, data: bytes) -> Outcome:
    """Read it in a process of its own, as often as `reading.tries` where it stops that."""
    tries = settings.FIRSTREAD.reading.tries
    for _ in range(tries):
        try:
            return apart(check, data)
        except StopsReaders as error:
            log.warning("a sample stopped its reader: %s", error)
    raise StopsReaders(
        f"Reading stopped the reader {tries} times. Read it unaided, and tell the operator."
    )


def tell_why_waiting(*, most: int = 200) -> int:
    """Where nobody can read a check at the moment, let its cases say so; returns how many did.

    Otherwise only those would that somebody has tried.
    """
    told = 0
    for check, why in presence.nobody_reads().items():
        quiet = Case.objects.filter(state=CaseState.RECEIVED, retry_at=None, held_by=None)
        if check != cannot_read.ANYTHING:
            quiet = quiet.filter(check_row=check)
        for case in quiet.order_by("received_at", "pk")[: most - told]:
            with transaction.atomic():
                if quiet.filter(pk=case.pk).update(retry_at=clock.now()):
                    detail = {"reason": why, "trouble": "NobodyCan"}
                    happened(WAITS, by=None, case=case, detail=detail)
                    told += 1
    return told


def _after_read(sample: str, *, kind: str) -> None:
    try:
        KINDS[kind].after_read(sample)
    except (OSError, FirstreadError) as error:  # it only saves a page from waiting
        log.warning("what pages show of a sample is not made yet: %s", type(error).__name__)


def _unread(case: Case) -> list[CaseSample]:
    read = ReadRow.objects.filter(case_sample__case=case)
    return list(case.samples.exclude(pk__in=read.values("case_sample")))


def _write(claimed: Case, work: _Work) -> None:
    """Write the reads and what they come to; nothing where another has the case by now."""
    with transaction.atomic():
        case = still_held(claimed)
        if case is None or case.state != CaseState.RECEIVED:
            log.warning("case %s: what was read is not written, the lease was lost", claimed.pk)
            return
        now = clock.now()
        unread = _unread(case)
        _write_reads([s for s in unread if s.pk in work.outcomes], work, at=now)
        case.claimed_until = case.held_by = None
        if work.trouble is not None:
            _let_wait(case, work.trouble, at=now)
            return
        if any(s.pk not in work.outcomes and s.pk not in work.refusals for s in unread):
            # More came while these were read: the case stays due, and its tries begin anew.
            case.attempts = 0
            case.save(update_fields=["claimed_until", "held_by", "attempts"])
            return
        _conclude(case, work, at=now)


def _let_wait(case: Case, trouble: Trouble, *, at: datetime) -> None:
    """The case comes due again by itself; it has lost nothing, not even a try."""
    if case.retry_at is None or last_trouble(case) != trouble.kind:
        detail = {"reason": trouble.why, "trouble": trouble.kind}
        happened(WAITS, by=None, case=case, detail=detail)
        log.warning("case %s waits: %s", case.pk, trouble.why)
    case.retry_at = at + timedelta(seconds=trouble.again_in_s)
    # This attempt was ended as it should be; whether one before it was not, is still to be known.
    case.attempts -= 1
    case.save(update_fields=["claimed_until", "held_by", "attempts", "retry_at"])


def _write_reads(samples: Sequence[CaseSample], work: _Work, *, at: datetime) -> None:
    codes = work.manifest.codes if work.manifest else ()
    ReadRow.objects.bulk_create(
        row_of(work.outcomes[sample.pk], case_sample=sample, codes=codes, at=at)
        for sample in samples
    )


def _conclude(case: Case, work: _Work, *, at: datetime) -> None:
    """What all reads of the case come to: its finding and priority, or why it is unfit."""
    rows = ReadRow.objects.without_arrays().filter(case_sample__case=case)
    reads = [read_of(row) for row in rows.order_by("case_sample__position")]
    reason = _refusal(work, of=len(reads) + len(work.refusals)) or _unfit(reads)
    top = _headline(reads, work.manifest)
    case.finding = top[0] if top else ""
    case.probability = top[1] if top else None
    case.priority = _priority(reads, work.manifest, unfit=bool(reason))
    case.state = CaseState.UNFIT if reason else CaseState.READ
    case.unfit_reason = reason[:300]
    case.doubt = _doubt(reads, refused=bool(reason)) or ""
    shown = shown_by(reads) if case.doubt == Doubt.WRONG_KIND else None
    case.motif, case.looks_like = (shown.code, shown.title) if shown else ("", "")
    case.left_out = _left_out(reads, work)
    case.waits_for = "specialist"
    case.read_at, case.attempts, case.retry_at = at, 0, None
    case.save()
    detail = {"reads": len(reads), "pack": _pack(reads), "finding": case.finding}
    if case.verdict.doubt is not None:
        detail["verdict"] = case.verdict.says
    if case.left_out:
        detail["left_out"] = case.left_out
    if where := list(dict.fromkeys(each.where for each in work.outcomes.values() if each.where)):
        detail["where"] = where[:PLACES_TOLD]
    tell(Occasion.READ, case=case, number=moves(case))
    happened(str(case.state), by=None, case=case, detail=detail)
    log.info("case %s: %s", case.pk, case.state)


def _refusal(work: _Work, *, of: int) -> str:
    if not work.refusals:
        return ""
    first = next(iter(work.refusals.values()))
    return first if of == 1 else f"{len(work.refusals)} of {of} samples cannot be read. {first}"


def _left_out(reads: Sequence[Read], work: _Work) -> str:
    """Of many samples how many count, and why others do not; of one its verdict says all."""
    if len(reads) + len(work.refusals) == 1:
        return ""
    return counted(reads, not_opened=len(work.refusals)).told()[:300]


def _doubt(reads: Sequence[Read], *, refused: bool) -> Doubt | None:
    """An alarm is shown whatever could not be read beside it."""
    return Doubt.UNFIT if refused and not alarm_stands(reads) else doubt_of_case(reads)


def _unfit(reads: Sequence[Read]) -> str:
    reasons = [read.unfit for read in reads if read.unfit]
    return reasons[0] if reasons and len(reasons) == len(reads) else ""


def _headline(reads: Sequence[Read], manifest: Manifest | None) -> tuple[str, float] | None:
    if manifest is None or not reads:
        return None
    top = headline(reads, alarming=manifest.positive)
    return (top.label, top.probability) if top else None


def _priority(reads: Sequence[Read], manifest: Manifest | None, *, unfit: bool) -> Priority:
    labels: Mapping[str, Priority] = (
        {each.code: Priority.named(each.priority) for each in manifest.answers} if manifest else {}
    )
    found = priority_of_case(reads, of_label=labels)
    return max(found, Priority.URGENT) if unfit else found


def _pack(reads: Sequence[Read]) -> str:
    return f"{reads[-1].pack} {reads[-1].version}" if reads else ""
