"""Everything that a page or the API shows of one case, and the trace that it was looked at."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from firstread.clinic import audit
from firstread.clinic.checks.checks import manifest_of
from firstread.clinic.checks.sample_words import one_sample
from firstread.clinic.keeping import store_mending
from firstread.clinic.models import (
    AuditRow,
    Case,
    CaseSample,
    Check,
    Correction,
    Person,
    ReadRow,
    Review,
    Role,
    SignOff,
    clock,
)
from firstread.clinic.queue.find_case import found_case
from firstread.clinic.queue.waiting import why_waiting
from firstread.clinic.shown.corrections import corrections_of
from firstread.clinic.shown.history import Line, lines_of
from firstread.clinic.shown.outbox import Message, messages_about
from firstread.clinic.steps import final
from firstread.clinic.steps.who_may import (
    answers_of,
    may_amend,
    may_answer,
    may_correct,
    may_reread,
    reads_check,
)
from firstread.clinic.storage.reads import counts_of, maps_of, read_of
from firstread.domain.case import DECIDED, CaseState
from firstread.domain.differential import Share, differential
from firstread.domain.errors import FirstreadError, NotAllowed
from firstread.domain.left_out import Counted, counted
from firstread.domain.read import Read
from firstread.packs import Label, Manifest

LOOKS_COUNT_AGAIN_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One sample of the case with its first read."""

    case_sample: CaseSample
    read: Read | None
    evidence_labels: tuple[str, ...]
    """The labels whose evidence map is kept; empty where the pack gives none."""
    position: int
    counts: Mapping[str, int]
    """Of a recording, how many beats have each label; empty for another sample."""

    @property
    def has_evidence(self) -> bool:
        """Whether beats, maps and contributions are shown: not of what is unfit."""
        return self.read is not None and self.read.verdict.shows_evidence


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """One case as this person may see it."""

    case: Case
    check: Check
    cells: tuple[Cell, ...]
    differential: tuple[Share, ...] | None
    left_out: Counted | None
    """Of many samples that are read: how many count, and why others do not."""
    labels: tuple[Label, ...]
    manifest: Manifest | None
    trouble: str
    """Why the check's pack cannot be opened at the moment; empty where it can."""
    reviews: tuple[Review, ...]
    answered: int
    """How many have answered, also where their answers are hidden from this person."""
    reviews_hidden: bool
    sign_offs: tuple[SignOff, ...]
    history: tuple[Line, ...]
    messages: tuple[Message, ...]
    undelivered: tuple[Message, ...]
    """Those that were tried and have not arrived: to each the newest by each channel."""
    may_answer: bool
    may_amend: bool
    may_correct: bool
    may_reread: bool
    """Whether this person may have the unfit case read again."""
    corrections: tuple[Correction, ...]
    """What was put in wrongly, and what was done about it."""
    why_not: str
    """Why this person can neither answer nor amend now."""
    waits_because: str
    """Why no server has read it yet; empty where it is being read, or was."""
    ails: tuple[str, ...]
    """What is wrong with the bytes of its samples in the store, in sentences."""
    answers: tuple[tuple[str, str], ...]
    """What a specialist may answer, as (code, title)."""
    titles: Mapping[str, str]
    """What each answer is called, those to many samples too."""
    one: str
    """What one of its samples is called: cell, slice, patch, recording, picture."""
    take_back_until: datetime | None
    """Until when this person can take their answer back; None where they cannot."""
    veiled: bool
    """Whether what came of this person's answer is not shown to them yet."""


def look(case_id: uuid.UUID | str, *, by: Person, veils: bool = False) -> CaseView:
    """The case as this person may see it; leaves a row in the audit trail.

    Others' answers can no longer be taken back then; `veils` leaves that to this person's own one,
    and shows what came of it once it is final. Raises UnknownCase, NotAllowed.
    """
    case, now = found_case(case_id), clock.now()
    if not by.is_active:
        raise NotAllowed("Your account is closed. Ask an operator to open it.")
    if final.seen([case.pk], by=by, at=now):
        case = found_case(case_id)
    if not veils:
        final.learnt(by, of=case.pk, at=now)
    _leave_trace(case, by, at=now)
    manifest, trouble = _manifest(case.check_row)
    cells = _cells(case)
    answers = answers_of(case.check_row, many=len(cells) > 1)
    titles = dict(answers_of(case.check_row, many=True))
    reviews = tuple(case.reviews.select_related("by"))
    mine = final.fresh_answer(reviews, by=by, at=now)
    blind = _blind(case, reviews, by)
    hidden = blind and bool(reviews)
    reads_it = reads_check(by, case.check_row_id)
    not_answer = may_answer(case, by=by, reads=reads_it)
    not_amend = may_amend(case, by=by, reads=reads_it)
    not_correct = not_amend if case.decided else may_correct(case, by=by, reads=reads_it)
    reads = [cell.read for cell in cells if cell.read]
    messages = messages_about(case, by=by)
    view = CaseView(
        case=case,
        check=case.check_row,
        cells=cells,
        differential=differential(reads, labels=manifest.codes)
        if manifest and len(cells) > 1
        else None,
        left_out=counted(reads, not_opened=_not_opened(case, cells))
        if reads and len(cells) > 1
        else None,
        labels=manifest.labels if manifest else (),
        manifest=manifest,
        trouble=trouble,
        reviews=() if hidden else reviews,
        answered=len(reviews),
        reviews_hidden=hidden,
        sign_offs=tuple(case.sign_offs.select_related("by")),
        history=lines_of(case, titles=titles, answers_hidden=blind),
        messages=messages,
        undelivered=_undelivered(messages),
        may_answer=not not_answer,
        may_amend=not not_amend,
        may_correct=not not_correct,
        may_reread=not may_reread(case, by=by),
        corrections=tuple(corrections_of(case)),
        why_not=_why_neither(case, not_answer, not_amend),
        waits_because=why_waiting([case]).get(case.pk, ""),
        ails=_ails(cells),
        answers=tuple(answers),
        titles=titles,
        one=one_sample(case.check_row),
        take_back_until=mine.at + final.TAKEN_BACK_FOR if mine else None,
        veiled=veils and final.is_veiled(reviews, by=by, at=now),
    )
    return _veil(view, by=by) if view.veiled else view


def _why_neither(case: Case, not_answer: str, not_amend: str) -> str:
    if not (not_answer and not_amend):
        return ""
    return not_amend if case.state in DECIDED else not_answer


def _veil(view: CaseView, *, by: Person) -> CaseView:
    """As if this person had answered, and nothing had come of it yet."""
    mine = next(each for each in view.reviews if each.by_id == by.pk)
    case = view.case
    case.state = CaseState.UNFIT if case.unfit_reason else CaseState.READ
    case.waits_for, case.decided_at = "specialist", None
    own = max(n for n, line in enumerate(view.history) if line.action == "answered")
    return replace(
        view,
        case=case,
        reviews=(mine,),
        reviews_hidden=True,
        sign_offs=(),
        history=view.history[: own + 1],
        messages=tuple(each for each in view.messages if each.created_at < mine.at),
        may_amend=False,
        may_correct=False,
        why_not="Your answer is recorded. You see what came of it in a few seconds, when it can no "
        "longer be taken back.",
    )


def _undelivered(messages: Sequence[Message]) -> tuple[Message, ...]:
    found: dict[tuple[str, str], Message] = {}
    for each in messages:
        if each.undelivered:
            found.setdefault((each.channel, each.address), each)
    return tuple(found.values())


def _not_opened(case: Case, cells: Sequence[Cell]) -> int:
    """How many samples of a case that has been read have no read."""
    return 0 if case.state == CaseState.RECEIVED else sum(cell.read is None for cell in cells)


def _blind(case: Case, reviews: Sequence[Review], by: Person) -> bool:
    """The second reader must not be led by the first, nor by an answer that counts no longer.

    The chief decides knowing both.
    """
    if case.decided_at is not None or by.role == Role.CHIEF:
        return False
    return all(review.by_id != by.pk for review in reviews)


def _leave_trace(case: Case, by: Person, *, at: datetime) -> None:
    last = (
        AuditRow.objects.filter(case_id=case.pk, actor=by.username, action="viewed")
        .order_by("-number")
        .values_list("at", flat=True)
        .first()
    )
    if last and at - datetime.fromisoformat(last) < LOOKS_COUNT_AGAIN_AFTER:
        return
    with transaction.atomic():
        audit.append("viewed", by=by, case=case)


def _ails(cells: Sequence[Cell]) -> tuple[str, ...]:
    found = store_mending.ailing([cell.case_sample.sample_id for cell in cells])
    erased = tuple(
        f"The bytes of sample {cell.position} were erased on {at:%Y-%m-%d}, as the site's "
        "retention says. What was read and decided stays."
        for cell in cells
        if (at := cell.case_sample.sample.bytes_erased_at)
    )
    return erased + tuple(
        f"The bytes of sample {cell.position} are {found[sha256].label.lower()} in the store. "
        "Put the same file in again, or have the operator bring it back from the backup."
        for cell in cells
        if (sha256 := cell.case_sample.sample_id) in found
    )


def _manifest(check: Check) -> tuple[Manifest | None, str]:
    try:
        return manifest_of(check), ""
    except FirstreadError as error:
        return None, str(error)


def _cells(case: Case) -> tuple[Cell, ...]:
    samples = list(case.samples.select_related("sample"))
    rows = {
        row.case_sample_id: row
        for row in ReadRow.objects.without_arrays().filter(case_sample__in=samples)
    }
    with_map = set(
        ReadRow.objects.filter(case_sample__in=samples, evidence__isnull=False).values_list(
            "case_sample_id", flat=True
        )
    )
    return tuple(
        Cell(
            case_sample=sample,
            read=read_of(rows[sample.pk]) if sample.pk in rows else None,
            evidence_labels=maps_of(rows[sample.pk]) if sample.pk in with_map else (),
            position=sample.position,
            counts=counts_of(rows[sample.pk]) if sample.pk in rows else {},
        )
        for sample in samples
    )
