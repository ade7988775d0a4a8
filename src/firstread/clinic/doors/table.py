"""A whole table of measurements becomes cases, one for each row; bad rows come back with why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from firstread.clinic import intake, registry
from firstread.clinic.intake import Received
from firstread.clinic.models import Person
from firstread.domain.errors import FirstreadError, UnreadableSample
from firstread.domain.measurements import (
    MAX_ROWS,
    RefusedRow,
    Row,
    Table,
    TakesMeasurements,
    parse_csv,
)


@dataclass(frozen=True, kw_only=True)
class ReceivedTable:
    """What became of a table: what each good row made, and the lines that were refused."""

    received: tuple[Received, ...]
    refused: tuple[RefusedRow, ...]

    @property
    def why(self) -> str:
        """The refused lines, one sentence each."""
        return "\n".join(row.reason for row in self.refused)


def is_table(name: str) -> bool:
    """Whether a file of this name holds measurements.

    >>> is_table("lumps.CSV"), is_table("cell.png")
    (True, False)
    """
    return name.casefold().endswith((".csv", ".tsv", ".json"))


def parse_table(data: bytes, manifest: TakesMeasurements) -> Table:
    """Rows of a CSV, or of JSON: one object, or a list of them."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _json_table(data)
    return parse_csv(data, manifest)


def receive_table(
    data: bytes, *, check: str, door: str, by: Person | None, accession: str = "", patient: str = ""
) -> ReceivedTable:
    """Receive each row of the table as a case of its own.

    `accession` and `patient` stand for a single row that names none. Sent again, the table makes
    nothing twice, so a corrected table may be sent whole. Raises UnreadableSample and
    BadMeasurement where there is no table to speak of.
    """
    table = parse_table(data, registry.manifest_of(registry.check_named(check)))
    alone = len(table.rows) + len(table.refused) == 1
    received, refused = [], list(table.refused)
    for row in table.rows:
        try:
            received.append(
                intake.receive_measurements(
                    row.values,
                    check=check,
                    door=door,
                    accession=row.accession or (accession if alone else ""),
                    patient=row.patient or (patient if alone else ""),
                    by=by,
                )
            )
        except FirstreadError as error:
            said = str(error)
            reason = said if said.startswith("Line ") else f"Line {row.line}: {said}"
            refused.append(RefusedRow(line=row.line, reason=reason))
    refused.sort(key=lambda each: each.line)
    return ReceivedTable(received=tuple(received), refused=tuple(refused))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _json_table(data: bytes) -> Table:
    try:
        found = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise UnreadableSample(
            "This is not JSON. Send an object with one number for each measurement."
        ) from None
    entries = found if isinstance(found, list) else [found]
    if not entries:
        raise UnreadableSample("This JSON holds no rows. Send it with its rows.")
    if len(entries) > MAX_ROWS:
        raise UnreadableSample(
            f"This JSON has more than {MAX_ROWS} rows. Send it in several files."
        )
    rows, refused = [], []
    for line, entry in enumerate(entries, start=1):
        try:
            rows.append(_json_row(entry, line=line))
        except UnreadableSample as error:
            refused.append(RefusedRow(line=line, reason=str(error)))
    if len(rows) > 1 and not all(row.accession for row in rows):
        raise UnreadableSample(
            "These are several rows, and not each has an 'accession'. Add it, so that each row "
            "finds its case."
        )
    return Table(rows=tuple(rows), refused=tuple(refused))


def _json_row(entry: Any, *, line: int) -> Row:
    if not isinstance(entry, Mapping):
        raise UnreadableSample(f"Line {line} is no object of measurements.")
    values: dict[str, float | None] = {}
    for code, value in entry.items():
        if code in ("accession", "patient"):
            continue
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UnreadableSample(
                f"Line {line}: {str(code)[:60]} must be a number, not {str(value)[:40]!r}."
            )
        values[str(code)] = value
    return Row(
        line=line,
        values=values,
        accession=str(entry.get("accession") or "").strip(),
        patient=str(entry.get("patient") or "").strip(),
    )
