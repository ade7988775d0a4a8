"""Everything that the case page shows: the case, one sample of it with its read, the decision."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.urls import reverse

from firstread.clinic.models import Case, Check, Person, SignOff
from firstread.clinic.shown import changes, worklist
from firstread.clinic.shown.case import CaseView, Cell, look
from firstread.clinic.shown.findings import Findings, findings_of
from firstread.clinic.shown.gallery import Differential, Gallery, differential_of, gallery_of
from firstread.clinic.shown.kinds import KINDS, KindOfPage
from firstread.clinic.shown.motif import checks_to_move_to
from firstread.clinic.shown.worklist import Asked, Beside
from firstread.domain.case import CaseState
from firstread.domain.foremost import MANY, foremost
from firstread.domain.read import Read
from firstread.domain.verdict import STANDS, Doubt, Verdict, verdict_of_doubt


@dataclass(frozen=True, kw_only=True)
class EvidenceMap:
    """One label's evidence map, and where it is."""

    title: str
    href: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided, and what this person may answer."""

    answers: tuple[tuple[str, str], ...]
    likely: tuple[tuple[str, str], ...]
    """Of many answers those that the pack found most probable; empty where all fit on the page."""
    latest: SignOff | None
    earlier: tuple[SignOff, ...]
    discordant: bool
    next_case: str
    """Where the next case of the list is from which this person came; else of those that wait."""
    previous: str
    in_list: bool
    """Whether they came from a list other than that of all that waits for them."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What somebody had chosen in a form that was refused: it is shown again, and not lost."""

    label: str = ""
    comment: str = ""
    amends: bool = False


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """The case page as this person sees it."""

    stamp: int
    """Of the newest change that the page shows."""
    view: CaseView
    case: Case
    """The view's."""
    cell: Cell | None
    """The sample that is shown large."""
    read: Read | None
    """Its first read."""
    evidence: tuple[EvidenceMap, ...]
    """Its maps, that of the read's own label first."""
    kind: KindOfPage
    """What is shown of such samples, and by which templates."""
    own: object | None
    """What those templates show of this one."""
    verdict: Verdict
    """Whether the read's finding stands, and what is shown where it does not."""
    of_case: Verdict
    """The same of the whole case."""
    move_to: tuple[Check, ...]
    """The checks that read what its pictures show, where they are another check's."""
    findings: Findings | None
    gallery: Gallery | None
    differential: Differential | None
    decision: Decision
    came_from: Asked
    given: Given


def case_page_of(
    case_id: uuid.UUID,
    *,
    by: Person,
    cell: str,
    beat: int | None,
    came_from: Asked,
    given: Given,
) -> CasePage:
    """The page of a case, open at a cell and, of a recording, at a beat; leaves a trace.

    Raises UnknownCase, NotAllowed.
    """
    # Before the look: what changes in between is then asked for again, not missed for ever.
    stamp = changes.changed(case_id)
    view = look(case_id, by=by, veils=True)
    shown = _cell(view, cell)
    read = shown.read if shown else None
    manifest = view.manifest
    kind = KINDS[view.check.kind]
    known = manifest is not None and read is not None
    verdict = read.verdict if read else _without_read(view.case)
    return CasePage(
        stamp=stamp,
        view=view,
        case=view.case,
        cell=shown,
        read=read,
        evidence=_evidence(shown, view) if shown and known and shown.has_evidence else (),
        kind=kind,
        own=kind.own(view, shown, beat=beat) if shown else None,
        verdict=verdict,
        of_case=view.case.verdict,
        move_to=checks_to_move_to(view.case, by=by),
        findings=findings_of(read, manifest, rings=verdict.may_ring) if read and manifest else None,
        gallery=gallery_of(view.cells, titles=view.titles, here=shown.position)
        if shown and len(view.cells) > 1
        else None,
        differential=differential_of(view.differential, manifest, left_out=view.left_out)
        if view.differential and manifest
        else None,
        decision=_decision(view, by, came_from=came_from),
        came_from=came_from,
        given=given,
    )


def _without_read(case: Case) -> Verdict:
    """Of a sample that could not be read: why; nothing as long as it may still be."""
    if case.state == CaseState.RECEIVED or case.read_at is None:
        return STANDS
    return verdict_of_doubt(Doubt.UNFIT, why=case.unfit_reason, kind=case.check_row.kind)


def _cell(view: CaseView, asked: str) -> Cell | None:
    """The cell that the address names; else the one that shows the case's finding best.

    One whose finding stands goes before an unfamiliar one, and that before one that is unfit.
    """
    for cell in view.cells:
        if str(cell.position) == asked:
            return cell
    read = [cell for cell in view.cells if cell.read]
    good = [cell for cell in read if cell.read and cell.read.verdict.names_finding]
    fit = good or [cell for cell in read if cell.read and cell.read.is_counted]
    alarming = [cell for cell in fit if cell.read and cell.read.alarms]
    return max(
        alarming or fit[:1] or view.cells[:1],
        key=lambda cell: cell.read.probability_of(view.case.finding) if cell.read else 0.0,
        default=None,
    )


def _evidence(cell: Cell, view: CaseView) -> tuple[EvidenceMap, ...]:
    codes = list(cell.evidence_labels)
    own = cell.read.label if cell.read else ""
    shown = _foremost_codes(cell.read)
    return tuple(
        EvidenceMap(
            title=view.titles.get(code, code),
            href=reverse("evidence", args=[cell.case_sample.pk, codes.index(code)]),
        )
        for code in sorted(codes, key=lambda code: code != own)
        if shown is None or code in shown
    )


def _decision(view: CaseView, person: Person, *, came_from: Asked) -> Decision:
    last = view.sign_offs[-1] if view.sign_offs else None
    if came_from.address:
        beside = worklist.beside(person, came_from, case=view.case)
    elif person.decides:
        beside = Beside(next_case=worklist.next_case(person, after=view.case))
    else:
        beside = Beside()
    return Decision(
        answers=view.answers,
        likely=_likely(view),
        latest=last,
        earlier=tuple(reversed(view.sign_offs[:-1])),
        discordant=last is not None and view.case.is_contradicted_by(last.label),
        next_case=_address(beside.next_case, came_from),
        previous=_address(beside.previous, came_from),
        in_list=bool(came_from.address),
    )


def _address(case: uuid.UUID | None, came_from: Asked) -> str:
    return reverse("case", args=[case]) + came_from.suffix if case else ""


def _likely(view: CaseView) -> tuple[tuple[str, str], ...]:
    read = view.cells[0].read if view.cells else None
    shown = _foremost_codes(read)
    if shown is None or read is None:
        return ()
    codes = [each.label for each in read.findings if each.label in shown]
    return tuple((code, view.titles.get(code, code)) for code in codes)


def _foremost_codes(read: Read | None) -> frozenset[str] | None:
    """The labels that are shown of many; None where all are."""
    if read is None or len(read.findings) <= MANY:
        return None
    return frozenset(each.label for each in foremost(read.findings, always=read.alarms))
