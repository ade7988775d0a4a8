"""A wrong accession, patient or check is corrected: what it was stays readable."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

from django.db import IntegrityError, transaction

from firstread.clinic.checks.checks import check_named, manifest_of
from firstread.clinic.models import Case, Check, Patient, Person, clock
from firstread.clinic.models.corrections import Mending
from firstread.clinic.models.decisions import Void, void
from firstread.clinic.outbox.events import happened
from firstread.clinic.outbox.notify import Occasion, tell
from firstread.clinic.queue.find_by_words import keep_words
from firstread.clinic.queue.find_case import locked_case
from firstread.clinic.steps.anew import begin_anew
from firstread.clinic.steps.corrections import PutInAs, note, put_in_as, refuse_no_reason
from firstread.clinic.steps.final import used
from firstread.clinic.steps.kinds import KINDS
from firstread.clinic.steps.sign_off import amendment
from firstread.clinic.steps.who_may import WITHDRAWN, plain_number, refuse_correcting, refuse_long
from firstread.clinic.storage import store
from firstread.domain.errors import BadMeasurement, WrongState
from firstread.domain.kinds import WORDS


def correct(
    case_id: uuid.UUID | str,
    *,
    by: Person,
    accession: str | None = None,
    patient: str | None = None,
    check: str | None = None,
    reason: str = "",
    decides: bool = True,
) -> Case:
    """Correct under what the case was put in; None leaves as it is, and the same again is one.

    A case that is moved to another check is read anew by that check's pack; the reads and answers
    so far no longer stand. A decided case keeps its check, and is corrected by an amendment, which
    needs a reason; `decides` is False where who asks may not change what is decided. Raises
    UnknownCase, UnknownCheck, NotAllowed, WrongState, BadMeasurement.
    """
    reason = reason.strip()
    refuse_long(reason)
    with transaction.atomic():
        case = locked_case(case_id)
        refuse_correcting(case, by=by, decides=decides)
        if case.withdrawn:
            raise WrongState(WITHDRAWN)
        before = put_in_as(case)
        wanted = _wanted(before, accession=accession, patient=patient, check=check)
        if wanted == before:
            return case
        if case.decided:
            refuse_no_reason(reason, what="A correction of a signed-off case")
        used(case)
        _change(case, wanted, before=before)
        told = _void_answers(case) if wanted.check != before.check else 0
        _tell_history(case, before=before, by=by, reason=reason, void=told)
    return case


def _wanted(
    now: PutInAs, *, accession: str | None, patient: str | None, check: str | None
) -> PutInAs:
    if accession is not None:
        accession = plain_number(accession, field="accession")
        if not accession:
            raise BadMeasurement("A case needs an accession.", field="accession")
        now = replace(now, accession=accession)
    if patient is not None:
        identifier = plain_number(patient, field="patient")
        found = Patient.objects.get_or_create(identifier=identifier)[0] if identifier else None
        now = replace(now, patient=found)
    return now if check is None else replace(now, check=check)


def _change(case: Case, wanted: PutInAs, *, before: PutInAs) -> None:
    if wanted.check != before.check:
        to = check_named(wanted.check)
        _refuse_move(case, to=to)
        begin_anew(case)
        case.check_row = to
    case.accession, case.patient = wanted.accession, wanted.patient
    if (wanted.check, wanted.accession) != (before.check, before.accession):
        case.part = _free_part(case)
    try:
        with transaction.atomic():
            case.save()
    except IntegrityError:  # another took the number this moment
        raise WrongState(_doubled(case)) from None
    keep_words(case)


def _free_part(case: Case) -> int:
    """The part that the case becomes; raises WrongState where its new number is another case's."""
    there = Case.objects.filter(check_row=case.check_row_id, accession=case.accession)
    others = list(there.exclude(pk=case.pk).order_by("part"))
    if any(not other.withdrawn for other in others):
        raise WrongState(_doubled(case))
    return others[-1].part + 1 if others else 1


def _doubled(case: Case) -> str:
    return (
        f"The check '{case.check_row_id}' has a case of that accession already. If both are one, "
        "withdraw this one and put its samples in there; else choose another accession."
    )


def _refuse_move(case: Case, *, to: Check) -> None:
    """Raises where the other check cannot take what the case holds."""
    if case.decided:
        raise WrongState(
            "The case is signed off, and its decision answers its check. Withdraw it, and put its "
            "samples in under the other check."
        )
    if to.kind != case.check_row.kind:
        raise BadMeasurement(
            f"The check '{to.name}' takes {WORDS[to.kind].many}, and this case holds "
            f"{WORDS[case.check_row.kind].many}. Choose a check that takes those.",
            field="check",
        )
    if not to.many and case.samples.count() > 1:
        raise BadMeasurement(
            f"The check '{to.name}' takes one {WORDS[to.kind].one} a case, and this case holds "
            "several. Withdraw it, and put each in as its own case.",
            field="check",
        )
    if (row := KINDS[to.kind].row) is not None:
        for each in case.samples.all():
            held = store.open(each.sample_id)
            if row(json.loads(held), manifest_of(to)) != held:
                raise BadMeasurement(
                    f"The check '{to.name}' takes other measurements than this case holds.",
                    field="check",
                )


def _void_answers(case: Case) -> int:
    """No answer so far counts any longer, and who gave one is told; returns how many did."""
    given = list(case.reviews.all())
    if given:
        tell(Occasion.VOID, case=case, number=case.corrections.count() + 1)
    void(given, because=Void.MOVED, at=clock.now())
    return len(given)


def _tell_history(case: Case, *, before: PutInAs, by: Person, reason: str, void: int) -> None:
    done = note(Mending.CORRECTED, case, before=before, by=by, reason=reason)
    detail: dict[str, object] = {"number": done.number}
    if done.check_before != done.check_after:
        detail |= {"from": done.check_before, "check": done.check_after, "void_answers": void}
    happened("corrected", by=by, case=case, detail=detail)
    last = case.sign_offs.last()
    if last is not None:
        amendment(case, label=last.label, by=by, comment=reason)
