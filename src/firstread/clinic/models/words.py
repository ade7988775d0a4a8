"""By what words a case is found: one short text a case, of which each database keeps an index."""

from __future__ import annotations

from django.db import models

from firstread.clinic.models.cases import Case


class CaseWords(models.Model):
    """A case's accession and its patient's number and name, a line each, in small letters.

    Written by `queue/find_by_words.py` alone. The index of its trigrams is not Django's: migration
    0008 makes it, as a virtual table beside this one on SQLite, and by pg_trgm on PostgreSQL.
    """

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
