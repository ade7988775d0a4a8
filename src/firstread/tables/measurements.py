"""Tables of measurements as laboratories export them: CSV, a workbook or JSON becomes rows."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from firstread.domain.errors import BadMeasurement, TooManyRows, UnreadableSample
from firstread.tables.columns import (
    ABOUT,
    Columns,
    TakesMeasurements,
    columns_of,
    plain_name,
    refuse_absent,
)
from firstread.tables.identifiers import lost_zeros, made_of, refusal
from firstread.tables.numbers import NO_SIGNS, Signs, number_of, signs_of
from firstread.tables.sheet import Sheet, open_text
from firstread.tables.workbook import is_workbook, open_workbook

MOST_CELLS = 1_000_000
MAX_ROWS = 10_000
"""More rows than any laboratory sends at once; a table beyond it is most likely a wrong file."""

MISSING = frozenset({"", "?", "-", "na", "n/a", "nan", "null", "none"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One patient's measurements, and the line of the table where they stand."""

    line: int
    values: dict[str, float | None]
    accession: str = ""
    patient: str = ""
    label: str = ""
    """What the row truly shows, where the table says so."""


@dataclass(frozen=True, kw_only=True)
class RefusedRow:
    """A line that cannot be taken, with the sentence that says why."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a table in its order, and the lines that were refused."""

    rows: tuple[Row, ...]
    refused: tuple[RefusedRow, ...] = field(default=())
    told: tuple[str, ...] = ()
    """What was not read of it, or had to be supposed."""


def parse_table(
    data: bytes | str, manifest: TakesMeasurements, *, needs_accession: bool = True
) -> Table:
    """Rows of a CSV, a workbook (.xlsx), or JSON: one object, or a list of them.

    A column is found by the measurement's code or title, with its unit in brackets or without;
    `accession`, `patient` and `label` (or `class`) columns are taken along, and what is left out is
    told. An empty field, `?` or `NA` is missing. Ranges are not looked at here: the step that takes
    a row holds it to them.

    `needs_accession` demands an accession of a table of several rows, which a door needs and a
    plain read does not.

    Raises UnreadableSample where this is no such table, and BadMeasurement where a column that
    may not be missing is absent. A line that is wrong alone is refused alone.
    """
    if isinstance(data, bytes):
        if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            return _json_table(data, manifest, needs_accession=needs_accession)
        if is_workbook(data):
            sheet = open_workbook(data, lambda first: _names_some(first, manifest))
            return _of_sheet(sheet, manifest, needs_accession=needs_accession)
    sheet = open_text(data, most_cells=MOST_CELLS)
    return _of_sheet(sheet, manifest, needs_accession=needs_accession)


def _of_sheet(sheet: Sheet, manifest: TakesMeasurements, *, needs_accession: bool) -> Table:
    header = sheet.lines[0][1] if sheet.lines else ()
    columns, left_out = columns_of(header, manifest=manifest)
    refuse_absent(manifest, present=set(columns.codes.values()))
    body = sheet.lines[1:]
    if len(body) > MAX_ROWS:
        raise TooManyRows(f"This table has more than {MAX_ROWS} rows. Send it in several parts.")
    if not body:
        raise UnreadableSample("This table has no rows below its header. Send it with its rows.")
    measured = [cells[at] for _, cells in body for at in columns.codes if at < len(cells)]
    signs = signs_of(measured, separator=sheet.separator)
    rows: list[Row] = []
    refused: list[RefusedRow] = []
    for line, cells in body:
        try:
            _refuse_odd(sheet, line=line, columns=columns, header=header)
            rows.append(_row(cells, line=line, columns=columns, manifest=manifest, signs=signs))
        except BadMeasurement as error:
            refused.append(RefusedRow(line=line, reason=str(error)))
    if needs_accession and len(rows) > 1 and columns.accession is None:
        raise UnreadableSample(
            "This table has several rows and no column 'accession'. Add one, so that each row "
            "finds its case."
        )
    lost = lost_zeros({row.line: row.accession for row in rows}, what="accession")
    lost = lost_zeros({row.line: row.patient for row in rows}, what="patient") | lost
    refused += [RefusedRow(line=line, reason=why) for line, why in lost.items()]
    told = sheet.told
    if left_out:
        told += (f"Left out, as no measurements of this check: {', '.join(left_out)[:200]}.",)
    told += tuple(_repeated(rows))
    return Table(
        rows=tuple(row for row in rows if row.line not in lost),
        refused=tuple(sorted(refused, key=lambda each: each.line)),
        told=told,
    )


def _repeated(rows: Iterable[Row]) -> Iterator[str]:
    """A sentence for each accession that several lines have: a slip of the hand, perhaps."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row.accession, []).append(str(row.line))
    for accession, places in lines.items():
        if accession and len(places) > 1:
            yield f"Lines {', '.join(places)} have one accession: they are parts of one case."


def _refuse_odd(sheet: Sheet, *, line: int, columns: Columns, header: Sequence[str]) -> None:
    """Raises BadMeasurement where a cell that is taken holds what nobody can take."""
    for place in columns.taken:
        if why := sheet.odd.get((line, place)):
            raise BadMeasurement(
                f"Line {line}: {header[place]} {why}, and put the table in again.", field=""
            )


def _names_some(first: Sequence[str], manifest: TakesMeasurements) -> bool:
    try:
        return bool(columns_of(first, manifest=manifest)[0].codes)
    except BadMeasurement:
        return False


def _row(
    cells: Sequence[str],
    *,
    line: int,
    columns: Columns,
    manifest: TakesMeasurements,
    signs: Signs,
) -> Row:
    # Spreadsheets leave empty cells at the end of a line, or leave them off.
    if any(cells[columns.width :]):
        raise BadMeasurement(
            f"Line {line} has {len(cells)} fields and the header {columns.width}. "
            "Check the separators of that line.",
            field="",
        )
    filled = [*cells, *[""] * (columns.width - len(cells))]
    optional = {each.code: each.may_be_missing for each in manifest.measurements}
    titles = {each.code: each.title for each in manifest.measurements}
    values: dict[str, float | None] = dict.fromkeys(titles)
    for place, code in columns.codes.items():
        values[code] = _value(filled[place], line=line, code=code, title=titles[code], signs=signs)
        if values[code] is None and not optional[code]:
            raise BadMeasurement(f"Line {line}: {titles[code]} is missing. Fill it in.", field=code)
    accession = filled[columns.accession] if columns.accession is not None else ""
    if columns.accession is not None and not accession:
        raise BadMeasurement(f"Line {line} has no accession. Fill it in.", field="accession")
    patient = filled[columns.patient] if columns.patient is not None else ""
    for what, text in (("accession", accession), ("patient", patient)):
        if why := refusal(text, line=line, what=what):
            raise BadMeasurement(why, field=what)
    label = filled[columns.label] if columns.label is not None else ""
    return Row(line=line, values=values, accession=accession, patient=patient, label=label)


def _value(cell: str, *, line: int, code: str, title: str, signs: Signs = NO_SIGNS) -> float | None:
    if cell.casefold() in MISSING:
        return None
    try:
        number = number_of(cell, signs=signs)
    except BadMeasurement as error:
        raise BadMeasurement(f"Line {line}: {title}: {error}", field=code) from None
    if not math.isfinite(number):
        made = made_of(cell)
        hint = f" A spreadsheet has made {made} of it." if made in ("a date", "a time") else ""
        raise BadMeasurement(
            f"Line {line}: {title} must be a number, not '{cell[:40]}'.{hint}", field=code
        )
    return number


def json_rows(data: bytes) -> list[Any]:
    """The rows that JSON holds, an object or a list of them; values are not looked at.

    Raises UnreadableSample where this is no JSON or holds NaN or infinity, BadMeasurement where a
    row gives one measurement twice.
    """
    try:
        found = json.loads(data, parse_constant=_no_constant, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise UnreadableSample(
            "This is not JSON. Send an object with one number for each measurement."
        ) from None
    rows = found if isinstance(found, list) else [found]
    if not rows:
        raise UnreadableSample("This JSON holds no rows. Send it with its rows.")
    if len(rows) > MAX_ROWS:
        raise TooManyRows(f"This JSON has more than {MAX_ROWS} rows. Send it in several parts.")
    if not any(isinstance(row, dict) for row in rows):
        raise UnreadableSample(
            "This JSON holds no measurements. Send an object with one number for each measurement."
        )
    return rows


def json_row(entry: Any, *, line: int, measured: Collection[str]) -> Row:
    """A row of JSON: numbers, or text as a table's cell would hold it; null is missing.

    `measured` are the measurements that the check takes: an accession, patient or label that is
    none of them is taken along. Raises BadMeasurement with the line.
    """
    if not isinstance(entry, Mapping):
        raise BadMeasurement(
            f"Line {line} is no object of measurements. Send one with a number for each.", field=""
        )
    values: dict[str, float | None] = {}
    about = dict.fromkeys(ABOUT, "")
    for code, value in entry.items():
        plain = plain_name(code)
        what = next((what for what, names in ABOUT.items() if plain in names), "")
        if what and code not in measured:
            if about[what]:
                raise BadMeasurement(
                    f"Line {line}: the {what} is given twice, under two names. Give it once.",
                    field=what,
                )
            about[what] = _identifier(value, line=line, what=what)
        elif isinstance(value, str):
            values[code] = _value(value.strip(), line=line, code=code, title=code[:60])
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            values[code] = value
        else:
            raise BadMeasurement(
                f"Line {line}: {code[:60]} must be a number, not {str(value)[:40]!r}.", field=code
            )
    return Row(line=line, values=values, **about)


def _identifier(value: Any, *, line: int, what: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | float | list | dict):
        raise BadMeasurement(
            f"Line {line}: the {what} is {str(value)[:40]!r}. Send it as text, in quotes.",
            field=what,
        )
    text = str(value).strip()
    if why := refusal(text, line=line, what=what) if what != "label" else "":
        raise BadMeasurement(why, field=what)
    return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises BadMeasurement where a measurement is given twice: nobody knows which one counts."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadMeasurement(f"'{twice[:60]}' is given twice. Give it once.", field=twice)
    return row


def _json_table(data: bytes, manifest: TakesMeasurements, *, needs_accession: bool) -> Table:
    measured = {each.code for each in manifest.measurements}
    rows, refused = [], []
    for line, entry in enumerate(json_rows(data), start=1):
        try:
            rows.append(json_row(entry, line=line, measured=measured))
        except BadMeasurement as error:
            refused.append(RefusedRow(line=line, reason=str(error)))
    if needs_accession and len(rows) > 1 and not all(row.accession for row in rows):
        raise UnreadableSample(
            "These are several rows, and not each has an 'accession'. Add it, so that each row "
            "finds its case."
        )
    return Table(rows=tuple(rows), refused=tuple(refused), told=tuple(_repeated(rows)))
