"""What is shown of cases, checks and packs, as the plain values that the API answers with."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from firstread.clinic.api.paging import cursor_of
from firstread.clinic.api.schemas import (
    BeatsOut,
    CaseOut,
    CaseShort,
    CheckOut,
    CorrectionOut,
    GroupOut,
    HistoryOut,
    LabelOut,
    MeasurementOut,
    PackOut,
    ReceivedOut,
    RefusedOut,
    ReviewOut,
    SampleOut,
    ShareOut,
    SignOffOut,
    VerdictOut,
)
from firstread.clinic.models import Correction, Review, SignOff
from firstread.clinic.shown.case import CaseView, Cell
from firstread.clinic.shown.case_list import CaseList, ListedCase, listed
from firstread.clinic.shown.checks import ShownCheck
from firstread.clinic.steps.intake import Received
from firstread.clinic.storage.beats_bytes import Beats
from firstread.domain.case import CaseState
from firstread.domain.priority import Priority
from firstread.domain.read import Read
from firstread.domain.verdict import Verdict
from firstread.packs import Manifest


def short(listed: ListedCase) -> CaseShort:
    case, verdict = listed.case, listed.case.verdict
    named = verdict.names_finding
    return CaseShort(
        id=case.pk,
        check=case.check_row_id,
        accession=case.accession,
        part=case.part,
        state=CaseState(case.state),
        priority=Priority(case.priority).name.lower(),
        waits_for=case.waits_for,
        verdict=None if case.read_at is None else _verdict(case.finding, verdict),
        finding=(case.finding or None) if named else None,
        probability=case.probability if named else None,
        unfit_reason=case.unfit_reason or None,
        motif=case.motif or None,
        left_out=case.left_out or None,
        samples=listed.samples,
        received_at=case.received_at,
        read_at=case.read_at,
        decided_at=case.decided_at,
        withdrawn_at=case.withdrawn_at,
    )


def _verdict(finding: str, verdict: Verdict) -> VerdictOut:
    would_say = None if verdict.names_finding else finding or None
    return VerdictOut(**verdict.as_dict(), would_say=would_say)


def page(found: CaseList) -> dict[str, Any]:
    """One page of a list, and the cursor of the next."""
    cases = [short(case).model_dump(mode="json") for case in found.cases]
    return {"cases": cases, "next": cursor_of(found.next_after)}


def received(done: Received) -> dict[str, Any]:
    return ReceivedOut(
        case=short(listed(done.case)),
        created=done.created,
        added=done.added,
        refused=[RefusedOut.from_orm(each) for each in done.refused],
        notes=list(done.told),
    ).model_dump(mode="json")


def whole(view: CaseView) -> dict[str, Any]:
    """A case as `shown.case.look` lets this person see it."""
    return CaseOut(
        **short(ListedCase(case=view.case, samples=len(view.cells))).model_dump(),
        patient=view.case.patient.identifier if view.case.patient else None,
        reads=[_sample(cell) for cell in view.cells],
        differential=None
        if view.differential is None
        else [ShareOut.from_orm(share) for share in view.differential],
        answers=view.answered,
        reviews=[ReviewOut(agrees=each.agrees, **_said(each)) for each in view.reviews],
        sign_offs=[
            SignOffOut(number=each.number, basis=each.basis, **_said(each))
            for each in view.sign_offs
        ],
        corrections=[_correction(each) for each in view.corrections],
        history=[HistoryOut.from_orm(line) for line in view.history],
        may_answer=view.may_answer,
        may_amend=view.may_amend,
        may_correct=view.may_correct,
        take_back_until=view.take_back_until,
        why_not=view.why_not,
    ).model_dump(mode="json")


def _said(each: Review | SignOff) -> dict[str, Any]:
    return {"by": each.by.username, "label": each.label, "comment": each.comment, "at": each.at}


def _correction(done: Correction) -> CorrectionOut:
    return CorrectionOut(
        number=done.number,
        action=done.action,
        by=done.by.username,
        at=done.at,
        reason=done.reason,
        accession_before=done.accession_before,
        check_before=done.check_before,
        patient_before=done.patient_before.identifier if done.patient_before else None,
    )


def _sample(cell: Cell) -> SampleOut:
    return SampleOut(
        position=cell.position,
        sha256=cell.case_sample.sample_id,
        read=_plain(cell.read) if cell.read else None,
        counts=dict(cell.counts) or None if cell.has_evidence else None,
    )


def _plain(read: Read) -> dict[str, Any]:
    """As it is answered everywhere, without the beats: they have an address of their own."""
    return {key: value for key, value in read.as_told().items() if key != "beats"}


def beats(found: Beats) -> dict[str, Any]:
    return BeatsOut(
        at_s=found.at_s.tolist(),
        label=[found.codes[place] for place in found.label.tolist()],
        probability=found.probability.astype(float).round(6).tolist(),
    ).model_dump(mode="json")


def check(shown: ShownCheck) -> dict[str, Any]:
    """A check with what its pack knows; without labels where the pack cannot be opened."""
    row, manifest = shown.check, shown.manifest
    return CheckOut(
        name=row.name,
        title=row.title,
        kind=row.kind,
        many=row.many,
        readers=row.readers,
        pack=row.pack,
        enabled=row.enabled,
        labels=[LabelOut.from_orm(each) for each in manifest.labels] if manifest else [],
        groups=[GroupOut.from_orm(each) for each in manifest.groups] if manifest else [],
        measurements=[MeasurementOut.from_orm(each) for each in manifest.measurements]
        if manifest
        else [],
    ).model_dump(mode="json")


def pack(manifest: Manifest) -> dict[str, Any]:
    results = [structs.asdict(each) for each in manifest.results]
    return PackOut(**structs.asdict(manifest.pack), results=results).model_dump(mode="json")
