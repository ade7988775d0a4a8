"""How long what is decided is kept: first bytes go, or names, or whole cases, as a site sets it.

What waits for somebody's word is never touched, nor what somebody holds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Coalesce

from firstread.clinic import audit
from firstread.clinic.keeping import chores
from firstread.clinic.keeping.erase_case import erase_bytes, erase_case, erase_refused
from firstread.clinic.keeping.scrub import scrub
from firstread.clinic.models import (
    Case,
    CaseSample,
    Check,
    Chore,
    Hold,
    Patient,
    RefusedSample,
    clock,
)
from firstread.clinic.queue.find_by_words import keep_words
from firstread.domain.case import DECIDED, CaseState
from firstread.domain.errors import WrongState
from firstread.domain.retention import Terms

NIGHTLY = "retention"
WHY = "retention"
NIGHT_UTC = range(1, 5)
OVER = (*DECIDED, CaseState.WITHDRAWN)
"""In these states a case waits for nobody."""
A_DAY = timedelta(hours=20)
OVERDUE = timedelta(hours=36)
"""After so long it begins by day, too: a machine may be off every night."""


class Settings(Protocol):
    """What is set for all checks, and for one."""

    def terms(self, check: str) -> Terms: ...
    @property
    def refused_days(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is due to go now."""

    cases: tuple[Any, ...] = ()
    """Numbers of cases that go whole."""
    samples: tuple[str, ...] = ()
    """Hashes whose bytes go, with their cases kept."""
    names: tuple[Any, ...] = ()
    """Numbers of cases that forget whose they are."""
    refused: tuple[int, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        return {
            "cases": len(self.cases),
            "samples": len(self.samples),
            "names": len(self.names),
            "refused": len(self.refused),
        }

    def __bool__(self) -> bool:
        return any(self.counts.values())


def due(config: Settings) -> Due:
    """What the terms say must go now; changes nothing."""
    now = clock.now()
    terms = {name: config.terms(name) for name in Check.objects.values_list("name", flat=True)}
    cases = set(_cases(now, {name: each.cases_days for name, each in terms.items()}))
    thin = set(_cases(now, {name: each.bytes_days for name, each in terms.items()})) - cases
    named = set(_cases(now, {name: each.names_days for name, each in terms.items()})) - cases
    refused: QuerySet[RefusedSample] = RefusedSample.objects.none()
    if config.refused_days:
        long_ago = now - timedelta(days=config.refused_days)
        refused = RefusedSample.objects.filter(received_at__lt=long_ago)
    return Due(
        cases=tuple(sorted(cases)),
        samples=tuple(_only_of(thin | cases, but=cases)),
        names=tuple(sorted(_unnamed(named))),
        refused=tuple(refused.values_list("pk", flat=True)),
    )


def carry_out(found: Due) -> Iterator[None]:
    """Let it go, one after another."""
    for case_id in found.cases:
        erase_case(case_id, why=WHY, and_patient=True)
        yield
    for sha256 in found.samples:
        of = list(Case.objects.filter(samples__sample=sha256).distinct())
        erase_bytes(sha256, cases=of, why=WHY)
        yield
    for case_id in found.names:
        _forget_name(case_id)
        yield
    for row in RefusedSample.objects.filter(pk__in=found.refused):
        erase_refused([row], why=WHY)
        yield
    if found:
        scrub(thoroughly=False)


def nightly(stop: threading.Event, *, config: Settings) -> bool:
    """Do what is due, once a night in one of the processes; returns whether anything was done."""
    if not _is_due() or (chore := chores.claim(NIGHTLY)) is None:
        return False
    try:
        chore.began_at = clock.now()
        found = due(config)
        for number, _ in enumerate(carry_out(found)):
            if stop.is_set() or (number % 50 == 0 and not chores.renew(chore)):
                return False  # what is left is due tomorrow, or where it is started again
        chore.ended_at, chore.counts = clock.now(), found.counts
        chores.keep(chore)
        return bool(found)
    finally:
        chores.let_go(chore)


def hold(case: Case, *, reason: str) -> None:
    """Keep the case as it is until it is let go; raises WrongState."""
    with transaction.atomic():
        _, made = Hold.objects.get_or_create(
            case=case, defaults={"reason": reason, "at": clock.now()}
        )
        if not made:
            raise WrongState("The case is held already.")
        audit.append("held", by=None, case=case)


def let_go(case: Case) -> None:
    """The case goes when its time comes; raises WrongState."""
    with transaction.atomic():
        if not Hold.objects.filter(case=case).delete()[0]:
            raise WrongState("The case is not held.")
        audit.append("let_go", by=None, case=case)


def _is_due() -> bool:
    if not chores.is_due(NIGHTLY, every=A_DAY):
        return False
    if clock.now().hour in NIGHT_UTC:
        return True
    # The first time it waits for the night, so that an operator can look at the counts before.
    ran = Chore.objects.filter(pk=NIGHTLY, ended_at__isnull=False).exists()
    return ran and chores.is_due(NIGHTLY, every=OVERDUE)


def _cases(now: datetime, days: Mapping[str, int]) -> Iterator[Any]:
    """Cases whose last word is older than their check's term."""
    last_word = Coalesce(Max("sign_offs__at"), "decided_at", "withdrawn_at")
    for check, kept_days in days.items():
        if not kept_days:
            continue
        over = Case.objects.filter(check_row=check, state__in=OVER, hold=None)
        old = over.annotate(last=last_word).filter(last__lt=now - timedelta(days=kept_days))
        yield from old.order_by().values_list("pk", flat=True)


def _only_of(cases: set[Any], *, but: set[Any]) -> Iterator[str]:
    """Samples that have bytes, and whose cases are all among these; not those that go whole."""
    rows = CaseSample.objects.filter(case__in=cases - but, sample__bytes_erased_at=None)
    hashes = set(rows.values_list("sample_id", flat=True))
    others = CaseSample.objects.filter(sample__in=hashes).exclude(case__in=cases)
    yield from sorted(hashes - set(others.values_list("sample_id", flat=True)))


def _unnamed(cases: set[Any]) -> set[Any]:
    """Those that still name somebody all of whose cases may be forgotten."""
    others = Case.objects.exclude(pk__in=cases).exclude(patient=None)
    kept = set(others.values_list("patient_id", flat=True))
    named = Case.objects.filter(pk__in=cases)
    of_patients = named.exclude(patient=None).exclude(patient__in=kept)
    of_files = named.filter(patient=None).exclude(samples__original_name="")
    return {*of_patients.values_list("pk", flat=True), *of_files.values_list("pk", flat=True)}


def _forget_name(case_id: Any) -> None:
    with transaction.atomic():
        case = Case.objects.select_for_update().filter(pk=case_id).first()
        if case is None or case.state not in OVER:
            return
        audit.append("names_erased", by=None, case=case, detail={"why": WHY})
        patient, case.patient = case.patient, None
        case.save(update_fields=["patient"])
        case.samples.update(original_name="")
        keep_words(case)
        if patient is not None and not Case.objects.filter(patient=patient).exists():
            Patient.objects.filter(pk=patient.pk).delete()
