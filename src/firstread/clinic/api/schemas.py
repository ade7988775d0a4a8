"""What the API takes and answers, field by field; the OpenAPI document is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from firstread.domain.case import CaseState
from firstread.domain.verdict import Doubt


def _writable(text: str) -> str:
    if any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) < 0xE000 for sign in text):
        raise ValueError("it holds control characters, which no accession or name has")
    return text


def _storable(text: str) -> str:
    if any(sign == "\x00" or 0xD800 <= ord(sign) < 0xE000 for sign in text):
        raise ValueError("it holds characters that no text has")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_writable)]
Accession = Annotated[Line, Field(max_length=64, examples=["865102"])]
Slug = Annotated[Line, Field(min_length=1, max_length=64, examples=["blood-smear"])]
Comment = Annotated[str, Field(max_length=4000), AfterValidator(_storable)]
Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
"""Strict: a text or `true` is no number, even where it could be made one."""


class Strict(Schema):
    """What comes in; a field that is not known here is refused, for it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid")


class NewCase(Strict):
    """The fields that come with samples."""

    check: Slug
    accession: Accession = ""
    patient: Annotated[Line, Field(max_length=64)] = ""


class Search(Strict):
    """Which case it was; asked by POST, for an accession must not stand in an address."""

    accession: Annotated[Line, Field(min_length=1, max_length=64)]
    check: Annotated[Line, Field(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=200, strict=True)] = 200
    cursor: Annotated[str | None, Field(max_length=200)] = None
    """The `next` of the page before."""


class Answer(Strict):
    """A specialist's label for a case."""

    label: Slug
    comment: Comment = ""
    confirm: Doubt | None = None
    """Needed to agree with a first read that does not stand: the word in `verdict.doubt`."""
    check: Slug | None = None
    """Whose read you saw: where the case was moved to another check meanwhile, it is refused."""
    read_at: AwareDatetime | None = None
    """The `read_at` of the case that you saw: where it was read anew meanwhile, it is refused."""


class Amendment(Strict):
    """A correction of a signed-off case; the earlier decision stays readable."""

    label: Slug
    comment: Annotated[Comment, Field(min_length=1)]


class CorrectionIn(Strict):
    """Under what a case should have been put in; what is left out stays as it is."""

    accession: Annotated[Line, Field(min_length=1, max_length=64)] | None = None
    patient: Annotated[Line, Field(max_length=64)] | None = None
    """Empty takes the patient away."""
    check: Slug | None = None
    reason: Comment = ""
    """Needed where the case is signed off: it becomes an amendment."""


class Reason(Strict):
    """Why a case is withdrawn, or reinstated."""

    reason: Annotated[Comment, Field(min_length=1)]


class Problem(Schema):
    """A refusal, in the form of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str


class VerdictOut(Schema):
    """Whether a finding stands, and what is shown where it does not."""

    stands: bool
    doubt: Doubt | None
    """Why it does not stand as it is; agreeing with it needs `confirm` with this word."""
    says: str
    """What is shown in the finding's place, or beside it where it is only not calibrated."""
    why: str
    would_say: str | None = None
    """The label that is not shown as what was found."""


class CaseShort(Schema):
    """A case as lists show it."""

    id: UUID
    check: str
    accession: str
    part: int
    state: CaseState
    priority: Annotated[str, Field(examples=["routine", "urgent", "asap", "stat"])]
    waits_for: str
    verdict: VerdictOut | None
    """Whether the finding stands; null until the case is read."""
    finding: str | None
    """Null where it does not stand: see `verdict`."""
    probability: float | None
    unfit_reason: str | None
    motif: str | None
    """What its pictures show, where they are another check's: 'chest-xray', 'field'."""
    left_out: str | None
    """Of many samples how many count, and why others do not; null where all do."""
    samples: int
    received_at: datetime
    read_at: datetime | None
    decided_at: datetime | None
    withdrawn_at: datetime | None


class RefusedOut(Schema):
    """A sample that could not be opened; it is kept, with the reason."""

    name: str
    reason: str


class ReceivedOut(Schema):
    """What became of the samples that were put in."""

    case: CaseShort
    created: bool
    added: int
    refused: list[RefusedOut]
    notes: list[str]
    """What of a table was left out, or had to be supposed."""


class CasesOut(Schema):
    """One page of cases, newest first; `next` opens the following page, null at the end."""

    cases: list[CaseShort]
    next: str | None


class SampleOut(Schema):
    """One sample of a case and its first read, null until it is read."""

    position: int
    sha256: str
    read: dict[str, Any] | None
    counts: dict[str, int] | None
    """Of a recording, how many of its beats have each label."""


class BeatsOut(Schema):
    """Every beat of a recording, in order: three lists of one length."""

    at_s: list[float]
    label: list[str]
    probability: list[float]


class ShareOut(Schema):
    """One label's share of a case's samples, with its 95 % interval."""

    label: str
    count: int
    of: int
    share: float
    low: float
    high: float


class ReviewOut(Schema):
    """One specialist's recorded answer."""

    by: str
    label: str
    agrees: bool
    comment: str
    at: datetime


class SignOffOut(Schema):
    """The decision (number 0), or an amendment after it."""

    number: int
    label: str
    basis: str
    by: str
    comment: str
    at: datetime


class CorrectionOut(Schema):
    """What was put in wrongly, and what was done about it."""

    number: int
    action: str
    by: str
    at: datetime
    reason: str
    accession_before: str
    check_before: str
    patient_before: str | None


class HistoryOut(Schema):
    """One line of a case's history."""

    at: datetime
    who: str
    sentence: str


class CaseOut(CaseShort):
    """Everything about a case that this person may see."""

    patient: str | None
    reads: list[SampleOut]
    differential: list[ShareOut] | None
    answers: int
    """How many specialists have answered; `reviews` names them once this person may see that."""
    reviews: list[ReviewOut]
    sign_offs: list[SignOffOut]
    corrections: list[CorrectionOut]
    history: list[HistoryOut]
    may_answer: bool
    may_amend: bool
    may_correct: bool
    take_back_until: datetime | None
    """Until when you can take your answer back; null where you cannot."""
    why_not: str


class LabelOut(Schema):
    """One answer that a check knows."""

    code: str
    title: str
    positive: bool
    priority: str


class GroupOut(Schema):
    """An answer that is the sum of several labels' probabilities."""

    code: str
    title: str
    labels: list[str]
    positive: bool
    priority: str


class MeasurementOut(Schema):
    """One measurement that a check takes."""

    code: str
    title: str
    help: str
    unit: str
    minimum: float
    maximum: float
    may_be_missing: bool


class CheckOut(Schema):
    """A question that can be asked of a sample."""

    name: str
    title: str
    kind: str
    many: bool
    readers: int
    pack: str
    enabled: bool
    labels: list[LabelOut]
    groups: list[GroupOut]
    measurements: list[MeasurementOut]


class ChecksOut(Schema):
    checks: list[CheckOut]


class PackOut(Schema):
    """A pack that was found here."""

    name: str
    version: str
    check: str
    kind: str
    title: str
    licence: str
    intended_use: str
    limits: str
    results: list[dict[str, Any]]


class PacksOut(Schema):
    packs: list[PackOut]
