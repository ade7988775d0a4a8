"""Tables of measurements as laboratories export them: CSV or JSON becomes rows with lines."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from firstread.domain.errors import BadMeasurement, UnreadableSample

MAX_ROWS = 10_000
"""More rows than any laboratory sends at once; a table beyond it is most likely a wrong file."""

_NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]{1,3})?")
"""float() also takes '1_0' and the digits of every script; a laboratory's table holds neither."""

MISSING = frozenset({"", "?", "-", "na", "n/a", "nan", "null", "none"})
ACCESSION_COLUMNS = frozenset({"accession", "accessionnumber", "sampleid", "samplenumber", "id"})
PATIENT_COLUMNS = frozenset({"patient", "patientid", "mrn"})
LABEL_COLUMNS = frozenset({"label", "class"})


class Measured(Protocol):
    """One measurement that a check takes, as a pack's manifest or the API describes it."""

    @property
    def code(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def may_be_missing(self) -> bool: ...


class TakesMeasurements(Protocol):
    """A manifest, or anything else that says which measurements a check takes."""

    @property
    def measurements(self) -> Sequence[Measured]: ...


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


@dataclass(frozen=True, kw_only=True)
class _Columns:
    codes: dict[int, str]
    accession: int | None
    patient: int | None
    label: int | None
    width: int


def parse_table(data: bytes, manifest: TakesMeasurements) -> Table:
    """Rows of a CSV, or of JSON: one object, or a list of them; refuses as `parse_csv` does."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _json_table(data)
    return parse_csv(data, manifest)


def parse_csv(
    data: bytes | str, manifest: TakesMeasurements, *, needs_accession: bool = True
) -> Table:
    """Read a table whose columns are separated by commas, semicolons or tabs.

    A column is found by the measurement's code or title; `accession`, `patient` and `label` (or
    `class`) columns are taken along, and all others left out. An empty field, `?` or `NA` is
    missing. A comma is a decimal comma. Ranges are not looked at here: the step that takes a row
    holds it to them.

    `needs_accession` demands an accession column of a table of several rows, which a door needs
    and a plain read does not.

    Raises UnreadableSample where this is no such table, and BadMeasurement where a column that
    may not be missing is absent. A line that is wrong alone is refused alone.
    """
    text = _text(data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    rows: list[Row] = []
    refused: list[RefusedRow] = []
    try:
        numbered = _lines(reader)
        _, header = next(numbered, (0, []))
        columns = _columns(header, manifest=manifest)
        for line, cells in numbered:
            if len(rows) + len(refused) >= MAX_ROWS:
                raise UnreadableSample(
                    f"This table has more than {MAX_ROWS} rows. Send it in several files."
                )
            try:
                rows.append(_row(cells, line=line, columns=columns, manifest=manifest))
            except BadMeasurement as error:
                refused.append(RefusedRow(line=line, reason=str(error)))
    except csv.Error:
        raise UnreadableSample("This is not a table in CSV. Export it again as CSV.") from None
    if not rows and not refused:
        raise UnreadableSample("This table has no rows below its header. Send it with its rows.")
    if needs_accession and len(rows) > 1 and columns.accession is None:
        raise UnreadableSample(
            "This table has several rows and no column 'accession'. Add one, so that each row "
            "finds its case."
        )
    return Table(rows=tuple(rows), refused=tuple(refused))


def _text(data: bytes | str) -> str:
    if isinstance(data, str):
        text = data.removeprefix("\ufeff")
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = _decoded(data, encoding="utf-16")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            # What spreadsheets on Windows write where nobody asked them for UTF-8.
            text = _decoded(data, encoding="cp1252")
    if "\x00" in text:
        raise UnreadableSample("This is not a table in CSV. Export it again as CSV.")
    if not text.strip():
        raise UnreadableSample("The table is empty. Send it again.")
    return text


def _decoded(data: bytes, *, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableSample("This is not a table in CSV. Export it again as UTF-8.") from None


def _separator(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=bare.count)


def _lines(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, each with the line on which it begins."""
    before = 0
    for cells in reader:
        line, before = before + 1, reader.line_num  # type: ignore[attr-defined]  # csv has no public type
        if any(cell.strip() for cell in cells):
            yield line, [cell.strip() for cell in cells]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _columns(header: Sequence[str], *, manifest: TakesMeasurements) -> _Columns:
    known: dict[str, str] = {}
    for each in manifest.measurements:
        known[_plain(each.title)] = each.code
    for each in manifest.measurements:
        known[_plain(each.code)] = each.code
    codes: dict[int, str] = {}
    special: dict[str, int] = {}
    for place, name in enumerate(header):
        plain = _plain(name)
        if plain in known:
            if known[plain] in codes.values():
                raise BadMeasurement(
                    f"The table has two columns for '{known[plain]}'. Leave one of them out.",
                    field=known[plain],
                )
            codes[place] = known[plain]
        elif plain in ACCESSION_COLUMNS:
            special.setdefault("accession", place)
        elif plain in PATIENT_COLUMNS:
            special.setdefault("patient", place)
        elif plain in LABEL_COLUMNS:
            special.setdefault("label", place)
    _refuse_absent(manifest, present=set(codes.values()))
    return _Columns(
        codes=codes,
        accession=special.get("accession"),
        patient=special.get("patient"),
        label=special.get("label"),
        width=len(header),
    )


def _refuse_absent(manifest: TakesMeasurements, *, present: set[str]) -> None:
    absent = [each.code for each in manifest.measurements if each.code not in present]
    needed = [
        each.code
        for each in manifest.measurements
        if not each.may_be_missing and each.code in absent
    ]
    if not present:
        raise BadMeasurement(
            "The first line names none of the measurements. It must hold columns named "
            f"{', '.join(absent)}.",
            field=absent[0] if absent else "",
        )
    if needed:
        raise BadMeasurement(
            f"The table has no column for {', '.join(needed)}. Add it, or send another check.",
            field=needed[0],
        )


def _row(cells: Sequence[str], *, line: int, columns: _Columns, manifest: TakesMeasurements) -> Row:
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
        values[code] = _value(filled[place], line=line, code=code, title=titles[code])
        if values[code] is None and not optional[code]:
            raise BadMeasurement(f"Line {line}: {titles[code]} is missing. Fill it in.", field=code)
    accession = filled[columns.accession] if columns.accession is not None else ""
    if columns.accession is not None and not accession:
        raise BadMeasurement(f"Line {line} has no accession. Fill it in.", field="accession")
    patient = filled[columns.patient] if columns.patient is not None else ""
    label = filled[columns.label] if columns.label is not None else ""
    return Row(line=line, values=values, accession=accession, patient=patient, label=label)


def _value(cell: str, *, line: int, code: str, title: str) -> float | None:
    if cell.casefold() in MISSING:
        return None
    number = math.nan
    if _NUMBER.fullmatch(cell):
        number = float(cell.replace(",", "."))
    if not math.isfinite(number):
        raise BadMeasurement(
            f"Line {line}: {title} must be a number, not '{cell[:40]}'.", field=code
        )
    return number


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
        raise UnreadableSample(
            f"Line {line} is no object of measurements. Send one with a number for each."
        )
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
