"""Who may answer or amend a case, and with what: the rules that review and sign-off share."""

from __future__ import annotations

from firstread.clinic.checks.checks import known_manifest
from firstread.clinic.checks.sample_words import one_sample
from firstread.clinic.models import Case, Check, Person, Role
from firstread.domain.case import DECIDED, NO_ALARM, OTHER, WAITING, Basis, CaseState
from firstread.domain.errors import BadMeasurement, NotAllowed, WrongState
from firstread.tables.identifiers import composed, refusal_alone

LONGEST_COMMENT = 4000
LONGEST_NUMBER = 64
WITHDRAWN = "The case has been withdrawn. Whoever may correct it can reinstate it."


def answers_for(case: Case) -> list[tuple[str, str]]:
    """The answers that a specialist may give, as (code, title)."""
    return answers_of(case.check_row, many=case.samples.count() > 1)


def answers_of(check: Check, *, many: bool) -> list[tuple[str, str]]:
    """The labels of the check's pack; of many samples also its groups and that none is alarming;
    and other."""
    labels: list[tuple[str, str]] = []  # of a pack that is gone; people say in words what they see
    if (manifest := known_manifest(check)) is not None:
        # The commonest alarm of many samples, which people are asked to agree with, may be a group.
        named = manifest.answers if many else manifest.labels
        labels = [(each.code, each.title) for each in named]
    if many:
        labels.append((NO_ALARM, f"No alarming {one_sample(check)}"))
    return [*labels, (OTHER, "Something else (say what)")]


def reads_check(person: Person, check: str) -> bool:
    """Whether this person decides cases of the check."""
    return person.role == Role.CHIEF or (
        person.role == Role.SPECIALIST and person.reads.filter(check_row=check).exists()
    )


def may_answer(case: Case, *, by: Person, reads: bool | None = None) -> str:
    """Why this person may not answer the case now; empty where they may.

    `reads` is what `reads_check` says, where it was asked already; so below.
    """
    try:
        refuse_person(case, by=by, reads=reads)
        refuse_state(case, by=by)
    except (NotAllowed, WrongState) as error:
        return str(error)
    return ""


def may_amend(case: Case, *, by: Person, reads: bool | None = None) -> str:
    """Why this person may not amend the case now; empty where they may."""
    if case.state == CaseState.WITHDRAWN:
        return WITHDRAWN
    if case.state not in DECIDED:
        return "The case is not signed off yet. Answer it instead."
    return _may_change_decision(case, by=by, reads=reads)


def may_correct(case: Case, *, by: Person, reads: bool | None = None) -> str:
    """Why this person may not correct, withdraw or reinstate the case now; empty where they may.

    What was put in is the laboratory's to mend; what was decided is changed by who may amend it.
    """
    if case.decided_at is not None:
        return _may_change_decision(case, by=by, reads=reads)
    laboratory = by.role in (Role.TECHNICIAN, Role.OPERATOR)
    if not by.is_active or not (laboratory or _reads(case, by=by, reads=reads)):
        return (
            "Only a technician, an operator, the chief, or a specialist who reads this check, may "
            "correct or withdraw it."
        )
    return ""


def may_reread(case: Case, *, by: Person | None) -> str:
    """Why this person may not have the case read again now; empty where they may.

    On the command line `by` is nobody. What has been read, or answered by a person, stands.
    """
    if case.state != CaseState.UNFIT:
        return _NOT_UNFIT[CaseState(case.state)]
    if case.reviews.exists():
        return "A specialist has answered the case unaided. It is not read again."
    if by is not None and not (by.is_active and by.role in (Role.TECHNICIAN, Role.OPERATOR)):
        return "A technician or an operator has a case read again. Ask one."
    return ""


_SIGNED = "The case is signed off, by a person who saw it. It is not read again."
_NOT_UNFIT = {
    CaseState.RECEIVED: "The case waits for its first read already.",
    CaseState.READ: "The case has its first read, which stands.",
    CaseState.SIGNED_OFF: _SIGNED,
    CaseState.AMENDED: _SIGNED,
    CaseState.WITHDRAWN: WITHDRAWN,
}


def refuse_correcting(case: Case, *, by: Person, decides: bool) -> None:
    """Raises NotAllowed where this person may not; `decides` is False for one of a lesser token."""
    if why_not := may_correct(case, by=by):
        raise NotAllowed(why_not)
    if case.decided_at is not None and not decides:
        raise NotAllowed(
            "The case is signed off, and this token has not the scope 'reviews:write', which "
            "changing a decision needs."
        )


def _reads(case: Case, *, by: Person, reads: bool | None) -> bool:
    return reads_check(by, case.check_row_id) if reads is None else reads


def _may_change_decision(case: Case, *, by: Person, reads: bool | None) -> str:
    reviewed = _reads(case, by=by, reads=reads) and case.reviews.filter(by=by).exists()
    if not by.is_active or not (by.role == Role.CHIEF or reviewed):
        return "Only the chief, or a specialist who answered this case, may amend it."
    if by.role != Role.CHIEF and case.sign_offs.filter(by__role=Role.CHIEF).exists():
        return "The chief has decided this case. Ask the chief to amend it."
    if by.role != Role.CHIEF and case.sign_offs.filter(basis=Basis.TWO_READERS).exists():
        return "Two specialists agreed on this case. Ask the chief to amend it."
    return ""


def refuse_person(case: Case, *, by: Person, reads: bool | None = None) -> None:
    """Raises NotAllowed where this person does not decide cases of the check."""
    if not by.is_active or not _reads(case, by=by, reads=reads):
        raise NotAllowed(
            "Only a specialist who reads this check, or the chief, may answer. "
            "An operator can add you on the people page."
        )


def refuse_state(case: Case, *, by: Person) -> None:
    """Raises WrongState where the case waits for no answer of this person."""
    if case.state == CaseState.RECEIVED:
        raise WrongState("The case has not been read yet. Wait a moment.")
    if case.state == CaseState.WITHDRAWN:
        raise WrongState(WITHDRAWN)
    if case.state not in WAITING:
        raise WrongState("The case is signed off already. Amend it if it needs correcting.")
    if case.reviews.filter(by=by).exists():
        raise WrongState("You have answered already.")
    if case.waits_for == "chief" and by.role != Role.CHIEF:
        raise WrongState("Two specialists differ on this case, and it waits for the chief.")


def refuse_label(case: Case, label: str) -> None:
    """Raises BadMeasurement where the label is none of the check's answers."""
    if label not in {code for code, _title in answers_for(case)}:
        raise BadMeasurement(
            "This is no answer for this check. Choose one of those shown.", field="label"
        )


def refuse_long(comment: str) -> None:
    """Raises BadMeasurement where the comment is longer than its place."""
    if len(comment) > LONGEST_COMMENT:
        raise BadMeasurement(
            f"The comment is longer than {LONGEST_COMMENT} characters. Shorten it.",
            field="comment",
        )


def plain_number(value: str, *, field: str) -> str:
    """An accession or a patient's number as it is kept; raises BadMeasurement."""
    value = composed(value.strip())
    if len(value) > LONGEST_NUMBER or not value.isprintable():
        raise BadMeasurement(
            f"The {field} must be one line of at most {LONGEST_NUMBER} characters. Shorten it.",
            field=field,
        )
    if why := refusal_alone(value, what=field):
        raise BadMeasurement(why, field=field)
    return value
