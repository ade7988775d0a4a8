"""A case goes, with all that only it has: rows, bytes, what was made of them, what left for it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from firstread.clinic import audit
from firstread.clinic.keeping.naming import value_names_any
from firstread.clinic.models import (
    Case,
    CaseSample,
    Correction,
    IdempotencyKey,
    Patient,
    RefusedSample,
    Sample,
    clock,
)
from firstread.clinic.storage import cache, store


@dataclass(frozen=True, kw_only=True)
class Gone:
    """What went with one case."""

    samples: frozenset[str] = frozenset()
    """The hashes whose bytes are gone."""
    shared: frozenset[str] = frozenset()
    """Those that stay, for another case has the same bytes."""
    messages: int = 0


def erase_case(case_id: uuid.UUID, *, why: str, and_patient: bool = False) -> Gone:
    """Erase the case, in one transaction; nothing where it is gone already.

    `and_patient`: the patient as well, where this was the last case.

    The trail keeps that there was one, by its number, which says nothing of anybody. Raises OSError
    where the bytes cannot be deleted: then the case stays as it was.
    """
    with transaction.atomic():
        case = Case.objects.select_for_update().filter(pk=case_id).first()
        if case is None:
            return Gone()
        hashes = list(case.samples.values_list("sample_id", flat=True))
        # First: whoever receives the same bytes writes to the trail, too, and then looks for them.
        audit.append("erased", by=None, case=case, detail={"why": why, "samples": len(hashes)})
        messages = case.outgoing.count()
        patient = case.patient
        case.delete()
        if and_patient and patient is not None and not patient.cases.exists():
            patient.delete()
        gone = frozenset(each for each in hashes if _erase_sample(each))
    return Gone(samples=gone, shared=frozenset(hashes) - gone, messages=messages)


def erase_bytes(sha256: str, *, cases: Sequence[Case], why: str) -> None:
    """Erase the bytes of a sample, and keep what is known of it."""
    with transaction.atomic():
        for case in cases:
            audit.append("bytes_erased", by=None, case=case, detail={"why": why})
        Sample.objects.filter(pk=sha256).update(bytes_erased_at=clock.now())
        if not RefusedSample.objects.filter(sha256=sha256).exists():
            store.erase(sha256)
        cache.erase(sha256)


def erase_refused(rows: Sequence[RefusedSample], *, why: str) -> None:
    """Erase refused files, and their bytes where no other row speaks of them."""
    for row in rows:
        with transaction.atomic():
            audit.append("refused_erased", by=None, detail={"refused": row.pk, "why": why})
            row.delete()
            _erase_unspoken(row.sha256)


def erase_answers(words: Sequence[str]) -> None:
    """Erase the kept answers to requests which name any of the words."""
    keys = IdempotencyKey.objects.values_list("pk", "body")
    named = [pk for pk, body in keys.iterator() if value_names_any(body, words)]
    IdempotencyKey.objects.filter(pk__in=named).delete()


def erase_corrections(patient: Patient, accessions: Collection[str]) -> None:
    """Cases of others that were put in as the patient's once no longer say so."""
    others = Correction.objects.exclude(case__patient=patient)
    wrong = Q(accession_before__in=accessions) | Q(accession_after__in=accessions)
    others.filter(wrong | Q(patient_before=patient) | Q(patient_after=patient)).update(
        reason="",
        accession_before="",
        accession_after="",
        patient_before=None,
        patient_after=None,
    )


def same_person(patient: Patient) -> list[Case]:
    """The patient's cases, and those under the same accessions that name nobody."""
    own = list(patient.cases.order_by("received_at", "pk"))
    numbers = {case.accession for case in own}
    unnamed = Case.objects.filter(accession__in=numbers, patient=None)
    return [*own, *unnamed.order_by("received_at", "pk")]


def _erase_sample(sha256: str) -> bool:
    """Whether the bytes are gone: they stay where another case has them."""
    if CaseSample.objects.filter(sample=sha256).exists():
        return False
    RefusedSample.objects.filter(sha256=sha256).delete()
    Sample.objects.filter(pk=sha256).delete()
    _erase_unspoken(sha256)
    return True


def _erase_unspoken(sha256: str) -> None:
    rows = (Sample.objects.filter(pk=sha256), RefusedSample.objects.filter(sha256=sha256))
    if not any(each.exists() for each in rows):
        cache.erase(sha256)
        store.erase(sha256)
