"""What is shown of cases, checks and packs, as the plain values that the API answers with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from msgspec import structs

from firstread.clinic.api.paging import cursor_of
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
from firstread.clinic.shown.case import CaseView, Cell
from firstread.clinic.shown.case_list import CasePage, ListedCase, listed
from firstread.clinic.shown.checks import ShownCheck
from firstread.clinic.steps.intake import Received
from firstread.clinic.storage.beats_bytes import Beats
from firstread.domain.read import Read
from firstread.packs import Manifest


def short(case: ListedCase) -> CaseShort:
    return CaseShort(**asdict(case) | {"priority": case.priority.name.lower()})


def page(found: CasePage) -> dict[str, Any]:
    """One page of a list, and the cursor of the next."""
    cases = [short(case).model_dump(mode="json") for case in found.cases]
    return {"cases": cases, "next": cursor_of(found.next_after)}


def received(done: Received) -> dict[str, Any]:
    refused = [RefusedOut(name=each.name, reason=each.reason) for each in done.refused]
    return ReceivedOut(
        case=short(listed(done.case)), created=done.created, added=done.added, refused=refused
    ).model_dump(mode="json")


def whole(view: CaseView) -> dict[str, Any]:
    """A case as `shown.case.look` lets this person see it."""
    return CaseOut(
        **short(listed(view.case)).model_dump(),
        patient=view.case.patient.identifier if view.case.patient else None,
        reads=[_sample(cell) for cell in view.cells],
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


def _sample(cell: Cell) -> SampleOut:
    return SampleOut(
        position=cell.position,
        sha256=cell.case_sample.sample_id,
        read=_plain(cell.read) if cell.read else None,
        counts=dict(cell.counts) or None,
    )


def _plain(read: Read) -> dict[str, Any]:
    """Without the beats, which may be 100,000 and have an address of their own."""
    return {key: value for key, value in read.as_dict().items() if key != "beats"}


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
        labels=[
            LabelOut(
                code=each.code, title=each.title, positive=each.positive, priority=each.priority
            )
            for each in (manifest.labels if manifest else ())
        ],
        groups=[GroupOut(**structs.asdict(each)) for each in (manifest.groups if manifest else ())],
        measurements=[
            MeasurementOut(**structs.asdict(each))
            for each in (manifest.measurements if manifest else ())
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
        results=[structs.asdict(each) for each in manifest.results],
    ).model_dump(mode="json")
