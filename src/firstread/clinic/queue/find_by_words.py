"""Finding cases by any piece of their accession, or of their patient's number or name."""

from __future__ import annotations

import uuid

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from firstread.clinic.models import Case, CaseWords, Patient
from firstread.tables.identifiers import composed

MOST_FOUND = 500
"""Where more cases hold the words, a list is gone through in its order instead."""
_SHORTEST = 3
"""Letters; the index is one of trigrams."""


def keep_words(case: Case) -> None:
    """Note by what the case is found; to be called where accession or patient become known."""
    words = CaseWords(case=case, text=words_of(case.accession, case.patient))
    CaseWords.objects.bulk_create(
        [words], update_conflicts=True, unique_fields=["case"], update_fields=["text"]
    )


def words_of(accession: str, patient: Patient | None) -> str:
    """The text of `CaseWords`."""
    told = [accession, patient.identifier, patient.name] if patient else [accession]
    return composed("\n".join(told)).casefold()


def with_words(cases: QuerySet[Case], text: str) -> QuerySet[Case]:
    """Those of the cases whose accession, patient's number or patient's name holds the text."""
    text = composed(text).casefold()
    if len(text) >= _SHORTEST:
        few = _first_with(text)
        if len(few) <= MOST_FOUND:
            return cases.filter(pk__in=few)
    # So many hold it that the first of any list are soon found.
    words = CaseWords.objects.filter(case=OuterRef("pk"), text__contains=text)
    return cases.filter(Exists(words))


def _first_with(text: str) -> list[uuid.UUID]:
    """Cases that hold the text, by the index: all, or one more than are asked for by key."""
    words = CaseWords.objects.filter(text__contains=text)
    if connection.vendor == "sqlite":
        phrase = '"' + text.replace('"', '""') + '"'
        words = CaseWords.objects.filter(
            pk__in=RawSQL(
                "SELECT rowid FROM clinic_casewords_trigrams"
                " WHERE clinic_casewords_trigrams MATCH %s LIMIT %s",
                [phrase, MOST_FOUND + 1],
            )
        )
    return list(words.values_list("case_id", flat=True)[: MOST_FOUND + 1])
