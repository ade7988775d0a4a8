"""A workbook of a spreadsheet (.xlsx): one sheet of values, and what else there is in it."""

from __future__ import annotations

import datetime as dt
import io
import warnings
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from firstread.domain.errors import UnreadableSample
from firstread.tables.sheet import Sheet

MOST_BYTES = 64 * 2**20
"""All of its parts unpacked; a table of ten thousand rows takes a few."""
MOST_CELLS = 2_000_000
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are those of a spreadsheet program's own file, of whichever age."""
    if data.startswith(_OLD):
        return True
    head = data[:200_000]
    return data.startswith(b"PK\x03\x04") and (
        b"xl/" in head or b"[Content_Types].xml" in head or b"mimetypeapplication/vnd.oasis" in head
    )


def open_workbook(data: bytes, fits: Callable[[Sequence[str]], bool]) -> Sheet:
    """The first visible sheet whose first line `fits`, and in words what was not read.

    Raises UnreadableSample where it cannot be opened, or is too large.
    """
    if data.startswith(_OLD):
        raise UnreadableSample(
            "This is a workbook of an old Excel (.xls), or one with a password. Save it as .xlsx "
            "or CSV without one."
        )
    _refuse_other_or_large(data)
    values, formulas = _opened(data, data_only=True), _opened(data, data_only=False)
    shown = [each for each in values.worksheets if each.sheet_state == "visible"]
    filled = [(each, first) for each in shown if (first := _first_line(each))]
    if not filled:
        raise UnreadableSample("This workbook has no sheet with anything in it. Send it again.")
    fitting = [each for each, first in filled if fits([_text(c)[0] for c in first])]
    chosen = fitting[0] if fitting else filled[0][0]
    return _sheet(
        chosen,
        formulas[chosen.title],
        told=_told_of_others(chosen, [each.title for each in values.worksheets], fitting),
    )


def _refuse_other_or_large(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            parts = opened.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise UnreadableSample("This workbook is cut off or damaged. Send it again.") from None
    names = {each.filename for each in parts}
    if "xl/workbook.xml" not in names:
        raise UnreadableSample(
            "This is no workbook that can be read here. Save it as .xlsx or CSV, and send that."
        )
    if sum(each.file_size for each in parts) > MOST_BYTES:
        raise UnreadableSample("This workbook is too large. Send its table alone, as CSV.")


def _opened(data: bytes, *, data_only: bool) -> Any:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of drawings and styles that openpyxl leaves out
            return load_workbook(io.BytesIO(data), data_only=data_only)
    except Exception:  # noqa: BLE001  openpyxl raises whatever a damaged file leads it to
        raise UnreadableSample(
            "This workbook is damaged, or has a password. Save it as CSV, and send that."
        ) from None


def _first_line(sheet: Any) -> Sequence[Any]:
    if sheet.max_row * sheet.max_column > MOST_CELLS:
        raise UnreadableSample(f"The sheet '{sheet.title[:60]}' is too large. Send it as CSV.")
    return next((row for row in sheet.iter_rows() if any(c.value is not None for c in row)), ())


def _told_of_others(chosen: Any, titles: Sequence[str], fitting: Sequence[Any]) -> list[str]:
    others = [title for title in titles if title != chosen.title]
    if not others:
        return []
    told = [f"The sheet '{chosen.title[:60]}' was read; not read: {', '.join(others)[:200]}."]
    told += [
        f"The sheet '{each.title[:60]}' holds such a table too. Put it in by itself."
        for each in fitting[1:]
    ]
    return told


def _sheet(sheet: Any, formulas: Any, *, told: list[str]) -> Sheet:
    lines: list[tuple[int, tuple[str, ...]]] = []
    odd: dict[tuple[int, int], str] = {}
    hidden = 0
    for row, written in zip(sheet.iter_rows(), formulas.iter_rows(), strict=True):
        cells = []
        number = row[0].row
        for place, (cell, formula) in enumerate(zip(row, written, strict=True)):
            text, why = _text(cell)
            if cell.value is None and formula.data_type == "f":
                why = "is a formula whose value was never computed. Open the workbook, save it"
            if why:
                odd[(number, place)] = why
            cells.append(text)
        if any(cells) or any(at == number for at, _ in odd):
            lines.append((number, tuple(cells)))
            hidden += bool(sheet.row_dimensions[number].hidden)
    if hidden:
        told.append(f"{hidden} of its lines are hidden in the sheet and were read all the same.")
    columns = sorted(key for key, each in sheet.column_dimensions.items() if each.hidden)
    if columns:
        told.append(f"Hidden columns ({', '.join(columns)[:60]}) were read like the others.")
    merged = sorted(str(each) for each in sheet.merged_cells.ranges)
    if merged:
        told.append(f"Merged cells ({', '.join(merged)[:80]}) count as their first cell alone.")
    return Sheet(lines=tuple(lines), told=tuple(told), separator="", odd=odd)


def _text(cell: Any) -> tuple[str, str]:
    """What a cell says, and why it cannot be taken; a number as its own value, not as shown."""
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, style=str(cell.number_format or ""))
    if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
        return str(value), "is a date or a time to the spreadsheet. Format the cell as text"
    return "" if value is None else str(value).strip(), ""


def _number(value: float, *, style: str) -> tuple[str, str]:
    if "%" in style:
        return f"{value:g}", f"is {value:g}, shown as a percentage. Write the plain number"
    if abs(value) >= 1e15:
        return f"{value:.0f}", "has more digits than a spreadsheet keeps. Format the cell as text"
    if float(value).is_integer():
        shown = str(int(value))
        return (shown.zfill(len(style)) if set(style) == {"0"} else shown), ""
    text = f"{value:.15g}"
    # With more digits than it has, so that nobody takes its point for one between thousands.
    return (f"{text}000" if "." in text and "e" not in text else text), ""
