"""Rows and views as the plain values that the API answers with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from firstread.clinic.api.schemas import (
    BeatsOut,
    CaseOut,
    CaseShort,
    CheckOut,
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
)
from firstread.clinic.checks.checks import manifest_of
from firstread.clinic.models import Case, Check, ReadRow
from firstread.clinic.shown.case import CaseView
from firstread.clinic.steps.intake import Received
from firstread.clinic.storage.reads import beats_of
from firstread.domain.case import CaseState
from firstread.domain.errors import PackRefused, UnknownCase, UnknownPack
from firstread.domain.priority import Priority
from firstread.domain.read import Read
from firstread.packs import Manifest


def short(case: Case) -> dict[str, Any]:
    """A case as lists show it; `sample_count` may be there from the query."""
    counted = getattr(case, "sample_count", None)
    return CaseShort(
        id=case.pk,
        check=case.check_row_id,
        accession=case.accession,
        part=case.part,
        state=CaseState(case.state),
        priority=Priority(case.priority).name.lower(),
        waits_for=case.waits_for,
        finding=case.finding or None,
        probability=case.probability,
        unfit_reason=case.unfit_reason or None,
        samples=case.samples.count() if counted is None else counted,
        received_at=case.received_at,
        read_at=case.read_at,
        decided_at=case.decided_at,
    ).model_dump(mode="json")


def received(done: Received) -> dict[str, Any]:
    refused = [RefusedOut(name=each.name, reason=each.reason) for each in done.refused]
    return ReceivedOut(
        case=CaseShort(**short(done.case)), created=done.created, added=done.added, refused=refused
    ).model_dump(mode="json")


def whole(view: CaseView) -> dict[str, Any]:
    """A case as `case_view.look` lets this person see it."""
    return CaseOut(
        **short(view.case),
        patient=view.case.patient.identifier if view.case.patient else None,
        reads=[
            SampleOut(
                position=cell.position,
                sha256=cell.case_sample.sample_id,
                read=_plain(cell.read) if cell.read else None,
                counts=dict(cell.counts) or None,
            )
            for cell in view.cells
        ],
        differential=None
        if view.differential is None
        else [ShareOut(**asdict(share)) for share in view.differential],
        answers=view.answered,
        reviews=[
            ReviewOut(
                by=each.by.username,
                label=each.label,
                agrees=each.agrees,
                comment=each.comment,
                at=each.at,
            )
            for each in view.reviews
        ],
        sign_offs=[
            SignOffOut(
                number=each.number,
                label=each.label,
                basis=each.basis,
                by=each.by.username,
                comment=each.comment,
                at=each.at,
            )
            for each in view.sign_offs
        ],
        history=[
            HistoryOut(at=line.at, who=line.who, sentence=line.sentence) for line in view.history
        ],
        may_answer=view.may_answer,
        may_amend=view.may_amend,
        why_not=view.why_not,
    ).model_dump(mode="json")


def _plain(read: Read) -> dict[str, Any]:
    """Without the beats, which may be 100,000 and have an address of their own."""
    return {key: value for key, value in read.as_dict().items() if key != "beats"}


def beats(view: CaseView, *, position: int) -> dict[str, Any]:
    """The beats of the recording in that place; raises UnknownCase where there are none."""
    cell = next((each for each in view.cells if each.position == position), None)
    row = None
    if cell is not None and cell.counts:
        row = ReadRow.objects.filter(case_sample=cell.case_sample).first()
    if row is None:
        raise UnknownCase("No beats were read there. Look at the case for its samples.")
    found = beats_of(row)
    return BeatsOut(
        at_s=found.at_s.tolist(),
        label=[found.codes[place] for place in found.label.tolist()],
        probability=found.probability.astype(float).round(6).tolist(),
    ).model_dump(mode="json")


def check(row: Check) -> dict[str, Any]:
    """A check with what its pack knows; without labels where the pack cannot be opened."""
    try:
        manifest: Manifest | None = manifest_of(row)
    except (PackRefused, UnknownPack):
        manifest = None
    return CheckOut(
        name=row.name,
        title=row.title,
        kind=row.kind,
        many=row.many,
        readers=row.readers,
        pack=row.pack,
        enabled=row.enabled,
        labels=[
            LabelOut(
                code=each.code, title=each.title, positive=each.positive, priority=each.priority
            )
            for each in (manifest.labels if manifest else ())
        ],
        groups=[GroupOut(**asdict(each)) for each in (manifest.groups if manifest else ())],
        measurements=[
            MeasurementOut(**asdict(each)) for each in (manifest.measurements if manifest else ())
        ],
    ).model_dump(mode="json")


def pack(manifest: Manifest) -> dict[str, Any]:
    about = manifest.pack
    return PackOut(
        name=about.name,
        version=about.version,
        check=about.check,
        kind=about.kind,
        title=about.title,
        licence=about.licence,
        intended_use=about.intended_use,
        limits=about.limits,
        results=[asdict(each) for each in manifest.results],
    ).model_dump(mode="json")
