"""A patient is forgotten: what is here goes, and where else copies may lie is named."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath

from django.contrib.sessions.models import Session
from django.db import transaction

from firstread.clinic import audit
from firstread.clinic.keeping import erase_inbox, erased
from firstread.clinic.keeping.erase_case import (
    erase_answers,
    erase_case,
    erase_corrections,
    erase_refused,
    same_person,
)
from firstread.clinic.keeping.naming import file_names_any, value_names_any
from firstread.clinic.keeping.scrub import scrub
from firstread.clinic.models import (
    AuditRow,
    BackupRow,
    Case,
    CaseSample,
    Hold,
    Patient,
    RefusedSample,
    Sample,
)
from firstread.domain.errors import WrongState
from firstread.tables.identifiers import composed

WHY = "asked"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is known of a patient here."""

    patient: Patient
    cases: tuple[Case, ...]
    undecided: tuple[Case, ...]
    held: tuple[Hold, ...]
    refused: tuple[RefusedSample, ...]
    backups: tuple[str, ...]
    """Copies that still hold something of the patient, with their places."""
    edges: tuple[str, ...]
    """Machines that sent something of the patient, and may still have it in their spool."""


@dataclass(kw_only=True)
class Forgotten:
    """What went, and what is left to do by hand."""

    cases: int = 0
    samples: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    """Samples that stay, for another's case has the same bytes."""
    messages: int = 0
    files: int = 0
    """In the inbox and what it keeps."""
    left: list[str] = field(default_factory=list)
    """Sentences about what must be done by hand."""


def plan_of(asked: str) -> Plan:
    """What is known of the patient of that number or name; raises WrongState."""
    patient = _patient(asked)
    cases = tuple(same_person(patient))
    first = min((case.received_at for case in cases), default=None)
    ids = [case.pk for case in cases]
    hosts = AuditRow.objects.filter(action="from_edge", case_id__in=ids)
    return Plan(
        patient=patient,
        cases=cases,
        undecided=tuple(case for case in cases if not (case.decided or case.withdrawn)),
        held=tuple(Hold.objects.filter(case__in=ids)),
        refused=tuple(_refused(_words(cases, [patient]))),
        backups=tuple(_backups(since=first)) if first else (),
        edges=tuple(sorted({str(row.detail.get("host", "")) for row in hosts})),
    )


def _refused(words: Sequence[str]) -> list[RefusedSample]:
    """Refused files whose names name the patient."""
    names = RefusedSample.objects.exclude(original_name="").values_list("pk", "original_name")
    found = [pk for pk, name in names.iterator() if file_names_any(PurePath(name), words)]
    return list(RefusedSample.objects.filter(pk__in=found))


def forget(
    plan: Plan, *, even_undecided: bool, after_each: Callable[[], None] = lambda: None
) -> Forgotten:
    """Erase all of it; called again after it was killed, it goes on.

    Raises WrongState where a case is held, or waits for somebody's word.
    """
    if plan.held:
        raise WrongState(
            f"Case {plan.held[0].case_id} is held ({plan.held[0].reason}), and nothing of its "
            "patient is erased. Let it go first: firstread retention --release CASE"
        )
    if plan.undecided and not even_undecided:
        raise WrongState(
            f"{len(plan.undecided)} cases of the patient are not signed off yet. Have them signed "
            "off first, or erase them as well: --even-undecided"
        )
    erased.tell_copies([case.pk for case in plan.cases])
    done = _erase(plan.cases, patients=[plan.patient], after_each=after_each)
    with transaction.atomic():
        told = {"cases": done.cases, "samples": len(done.samples), "backups": len(plan.backups)}
        audit.append("patient_erased", by=None, detail=told)
    if more := scrub(thoroughly=True):
        done.left.append(more)
    return done


def forget_again(root: Path, *, made_at: str) -> int:
    """In a restored site, erase what was erased after the copy was made; returns how many cases."""
    cases = list(Case.objects.filter(pk__in=erased.since(root, made_at=made_at)))
    if not cases:
        return 0
    ids = [case.pk for case in cases]
    theirs = Patient.objects.filter(cases__in=ids).distinct()
    patients = [each for each in theirs if not each.cases.exclude(pk__in=ids).exists()]
    done = _erase(cases, patients=patients)
    scrub(thoroughly=True)
    return done.cases


def _erase(
    cases: Sequence[Case],
    *,
    patients: Sequence[Patient],
    after_each: Callable[[], None] = lambda: None,
) -> Forgotten:
    done = Forgotten()
    words = _words(cases, patients)
    refused = _refused(words)
    samples = Sample.objects.filter(in_cases__case__in=[case.pk for case in cases])
    sizes = set(samples.values_list("size_bytes", flat=True))
    hashes = set(samples.values_list("sha256", flat=True))
    others = CaseSample.objects.filter(sample__in=hashes).exclude(case__in=cases)
    own = hashes - set(others.values_list("sample_id", flat=True))
    # The cases come last, and the patient after them: by these all else is found, should this be
    # killed and called again.
    done.files, done.left = erase_inbox.erase(words, hashes=own, sizes=sizes)
    erase_refused(refused, why=WHY)
    for patient in patients:
        erase_corrections(patient, [case.accession for case in cases])
    erase_answers([*words, *(str(case.pk) for case in cases)])
    _forget_searches(words)
    for case in cases:
        gone = erase_case(case.pk, why=WHY)
        done.cases += 1
        done.samples |= gone.samples
        done.shared |= gone.shared
        done.messages += gone.messages
        after_each()
    done.shared -= done.samples
    Patient.objects.filter(pk__in=[patient.pk for patient in patients]).delete()
    return done


def _words(cases: Sequence[Case], patients: Sequence[Patient]) -> list[str]:
    """By what the patients are found in texts."""
    told = {case.accession for case in cases}
    for patient in patients:
        told |= {patient.identifier, patient.name}
    return sorted(word for word in told if word)


def _patient(asked: str) -> Patient:
    asked = composed(asked)
    found = Patient.objects.filter(identifier=asked).first()
    if found is not None:
        return found
    named = list(Patient.objects.filter(name__iexact=asked)[:20]) if asked else []
    if len(named) == 1:
        return named[0]
    if named:
        raise WrongState(
            f"{len(named)} patients bear that name. Name one by the number: "
            + ", ".join(each.identifier for each in named)
        )
    raise WrongState(
        "There is no patient of that number or name here. Look for one of their cases in the "
        "worklist."
    )


def _backups(*, since: datetime) -> list[str]:
    rows = BackupRow.objects.filter(began_at__gte=since, gone_at=None)
    found = []
    for row in rows:
        host, _, folder = row.place.partition(":")
        here = host == socket.gethostname()
        if here and Path(folder).is_dir() and not (Path(folder) / row.name).exists():
            continue  # somebody deleted it
        found.append(f"{row.name} on {host} in {folder}")
    return found


def _forget_searches(words: Sequence[str]) -> None:
    """Sessions in which somebody looked for the patient end."""
    for session in Session.objects.all():
        if value_names_any(session.get_decoded(), words):
            session.delete()
