"""The rows of a clinic of many cases: those of the demonstration, copied until there are enough.

Its cases were really read, and some answered and signed off. A block of them is copied row by row
with new numbers, patients and times; the database copies the block.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from firstread.clinic import models
from firstread.clinic.models import (
    AuditHead,
    AuditRow,
    Case,
    CaseSample,
    Outgoing,
    Patient,
    ReadRow,
    RefusedSample,
    Review,
    SignOff,
)
from firstread.server import demo

OPEN_SHARE = 0.05
MANY_SHARE = 0.02
"""Of cases of many samples."""
LOOKS = 3
"""How often a case was looked at."""
BLOCK = 2_000
"""So many are copied row by row; then the database copies the block."""
BATCH = 2_000
NAMES = "Anna Bruno Clara Dieter Elif Franz Greta Hamid Ines Jakob Karin Lars Mina Noah Olga Paul"


@dataclass(frozen=True, kw_only=True)
class _Pattern:
    """A case that was really read, with all its rows."""

    case: Any
    rows: dict[type, list[Any]]

    @property
    def many(self) -> bool:
        return len(self.rows[CaseSample]) > 1


def fill(cases: int) -> None:
    """Bring the database to that many cases; of more than a block, to whole blocks."""
    demo.furnish(lambda _said: None)
    demo._furnish(demo._missing())
    patterns = [_pattern(case) for case in Case.objects.exclude(check_row="heartbeat")]
    block = min(cases, BLOCK)
    before = _ends()
    with transaction.atomic():
        _copy(patterns, range(block), chance=random.Random(cases))
    after = _ends()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:  # until the connection is closed
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -600000")
    for times in range(1, cases // block):
        with transaction.atomic():
            _copy_block(times, block=block, before=before, after=after)
    _note_words()
    newest = AuditRow.objects.order_by("-number")[0].number
    AuditHead.objects.update(number=newest)
    _refused(200 if cases < 10_000 else 2_000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum would, after so many rows
    connection.close()


def _pattern(case: Any) -> _Pattern:
    rows: dict[type, list[Any]] = {
        model: list(model.objects.filter(case=case))
        for model in (CaseSample, Review, SignOff, Outgoing)
    }
    rows[ReadRow] = list(ReadRow.objects.filter(case_sample__case=case))
    rows[AuditRow] = list(AuditRow.objects.filter(case_id=case.pk))
    return _Pattern(case=case, rows=rows)


def _copy(patterns: list[_Pattern], numbers: range, *, chance: random.Random) -> None:
    """Copies of the patterns, one for each number."""
    newest = AuditRow.objects.order_by("-number")[0].number
    names = NAMES.split()
    patients = Patient.objects.bulk_create(
        Patient(
            identifier=f"MRN-{number:07}",
            name=f"{chance.choice(names)} {chance.choice(names)}son {number % 997}",
        )
        for number in numbers[::2]
    )
    chosen = [_choice(patterns, chance) for _ in numbers]
    cases, rows = [], {model: [] for model in (CaseSample, Review, SignOff, Outgoing, AuditRow)}
    reads = []
    for number, pattern in zip(numbers, chosen, strict=True):
        case = copy(pattern.case)
        case.pk = case.id = None
        case._state = copy(case._state)
        case._state.adding = True
        case.id = _uuid(chance)
        open_for = chance.random() * (3 if case.decided_at is None else 700)
        moved = timedelta(days=open_for)
        case.accession = f"26-{number:07}"
        case.patient = patients[(number - numbers.start) // 2]
        for name in ("received_at", "read_at", "decided_at"):
            at = getattr(case, name)
            setattr(case, name, at - moved if at else None)
        cases.append(case)
        for model, made in rows.items():
            for row in _rows_of(pattern, model, looks=LOOKS):
                twin = copy(row)
                if model is AuditRow:
                    newest += 1
                    twin.number, twin.case_id = newest, case.id
                else:
                    twin.pk, twin.case = None, case
                if model is Outgoing:
                    twin.key = f"{number}/{len(made)}/{row.key}"[:200]
                    twin.created_at -= moved
                made.append(twin)
        reads.append((pattern, len(rows[CaseSample])))
    Case.objects.bulk_create(cases)
    for model, made in rows.items():
        model.objects.bulk_create(made, batch_size=BATCH)
    _copy_reads(reads, rows[CaseSample])


def _rows_of(pattern: _Pattern, model: type, *, looks: int) -> Iterator[Any]:
    yield from pattern.rows[model]
    if model is AuditRow:
        looked = copy(pattern.rows[model][-1])
        looked.action, looked.detail, looked.actor = "viewed", {}, "haematologist2"
        yield from [looked] * looks


def _copy_reads(of: list[tuple[_Pattern, int]], samples: list[Any]) -> None:
    made = []
    for pattern, end in of:
        count = len(pattern.rows[CaseSample])
        places = {row.pk: place for place, row in enumerate(pattern.rows[CaseSample])}
        for read in pattern.rows[ReadRow]:
            twin = copy(read)
            twin.pk = None
            twin.case_sample = samples[end - count + places[read.case_sample_id]]
            twin.evidence = (read.evidence or b"")[:600] or None  # maps are never read in a list
            made.append(twin)
    ReadRow.objects.bulk_create(made, batch_size=BATCH)


def _choice(patterns: list[_Pattern], chance: random.Random) -> _Pattern:
    is_open, many = chance.random() < OPEN_SHARE, chance.random() < MANY_SHARE
    fitting = [
        each for each in patterns if (each.case.decided_at is None) == is_open and each.many == many
    ]
    return chance.choice(fitting or [each for each in patterns if not each.many])


def _uuid(chance: random.Random) -> Any:
    return uuid.UUID(int=chance.getrandbits(96) << 32)  # the last digits say which copy it is


def _ends() -> dict[str, int]:
    """The largest number in each table whose rows are numbered."""
    named = ["Patient", "CaseSample", "Review", "SignOff", "Outgoing", "ReadRow", "AuditRow"]
    return {
        name: getattr(models, name).objects.aggregate(most=Max("pk"))["most"] or 0 for name in named
    }


def _copy_block(times: int, *, block: int, before: dict[str, int], after: dict[str, int]) -> None:
    """The block's rows once more, within the database: rows one by one would take an hour."""
    sqlite = connection.vendor == "sqlite"

    def case_key(column: str) -> str:
        if sqlite:
            return f"substr({column}, 1, 24) || printf('%08x', {times})"
        return f"(substr({column}::text, 1, 28) || lpad(to_hex({times}), 8, '0'))::uuid"

    def earlier(column: str) -> str:
        if sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '-{times} hours')"
        return f"{column} - interval '{times} hours'"

    def numbered(column: str, start: str) -> str:
        digits = f"cast(substr({column}, 1 + length('{start}')) AS integer) + {times * block}"
        padded = f"printf('%07d', {digits})" if sqlite else f"lpad(({digits})::text, 7, '0')"
        return f"'{start}' || {padded}"

    def shifted(column: str, table: str) -> str:
        return f"{column} + {times * (after[table] - before[table])}"

    told: dict[str, dict[str, str]] = {
        "Patient": {
            "identifier": numbered("identifier", "MRN-"),
            "name": f"name || ' {times}'",
        },
        "Case": {
            "id": case_key("id"),
            "accession": numbered("accession", "26-"),
            "patient_id": shifted("patient_id", "Patient"),
            **{name: earlier(name) for name in ("received_at", "read_at", "decided_at")},
        },
        "CaseSample": {},
        "Review": {"at": earlier("at")},
        "SignOff": {"at": earlier("at")},
        "Outgoing": {"key": f"key || '/{times}'", "created_at": earlier("created_at")},
        "ReadRow": {"case_sample_id": shifted("case_sample_id", "CaseSample")},
        "AuditRow": {"number": shifted("number", "AuditRow")},
    }
    with connection.cursor() as cursor:
        for name, changed in told.items():
            meta = getattr(models, name)._meta
            key = meta.pk.column
            changes = {"case_id": case_key("case_id")} | changed
            if name in after and key not in changes:
                changes[key] = shifted(key, name)
            columns = [field.column for field in meta.concrete_fields]
            of_block = (
                f"accession < '26-{block:07}' AND length(accession) = 10"
                if name == "Case"
                else f"{key} > {before[name]} AND {key} <= {after[name]}"
            )
            quoted = ", ".join(f'"{column}"' for column in columns)
            values = ", ".join(changes.get(column, f'"{column}"') for column in columns)
            cursor.execute(
                f"INSERT INTO {meta.db_table} ({quoted}) SELECT {values}"
                f" FROM {meta.db_table} WHERE {of_block}"
            )


def _note_words() -> None:
    """As `find_by_words.keep_words` does for each case; all of these names are plain ASCII."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO clinic_casewords (case_id, text) SELECT c.id,"
            " lower(c.accession || chr(10) || p.identifier || chr(10) || p.name)"
            " FROM clinic_case c JOIN clinic_patient p ON p.id = c.patient_id"
            " WHERE length(c.accession) = 10".replace(
                "chr", "char" if connection.vendor == "sqlite" else "chr"
            )
        )


def _refused(count: int) -> None:
    now = timezone.now()
    RefusedSample.objects.bulk_create(
        RefusedSample(
            sha256=f"{number:064x}",
            size_bytes=1000,
            door="folder",
            check_name="leukaemia",
            original_name=f"{number}.png",
            reason="This is not an image Firstread can open. Send PNG, JPEG, TIFF or DICOM.",
            received_at=now - timedelta(minutes=number),
        )
        for number in range(count)
    )
