"""A workbook of a spreadsheet (.xlsx): one sheet of values, and what else there is in it."""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from firstread.domain.errors import UnreadableSample
from firstread.tables.sheet import Sheet

MOST_BYTES = 32 * 2**20
"""All of its parts unpacked; a table of ten thousand rows takes a few."""
_FREELY, _TIMES = 2**20, 50
"""More than this, and more than so many times its packed bytes, no table unpacks to."""
MOST_TAGS = 1_500_000
"""Of all parts together: what openpyxl spends its time on; 350,000 cells have so many."""
MOST_CELLS = 600_000
"""Of one sheet, with those that are empty up to the last of a line."""
_MOST_LINES = 200_000
_MOST_TAGS_OF_A_LINE = 100_000
_MOST_BEFORE = 10_000
"""Empty lines before the first."""
_MOST_SHEETS = 64
_ROW = re.compile(rb"<(?:[\w.-]+:)?row\b[^>]*>")
_COLUMN = re.compile(rb"<(?:[\w.-]+:)?col\b[^>]*>")
_MERGED = re.compile(rb"<(?:[\w.-]+:)?mergeCell\b[^>]*>")
_SAID = re.compile(rb"""\b(\w+)\s*=\s*["']([^"'<]*)["']""")
DAMAGED = "This workbook is damaged, or has a password. Save it as CSV, and send that."
TOO_LARGE = "This workbook is too large. Send its table alone, as CSV."
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
    parts = _parts(data)
    values = _opened(data, data_only=True)
    shown = [each for each in values.worksheets if each.sheet_state == "visible"]
    filled = [(each, first) for each in shown if (first := _first_line(each))]
    if not filled:
        raise UnreadableSample("This workbook has no sheet with anything in it. Send it again.")
    fitting = [each for each, first in filled if fits([_text(c)[0] for c in first])]
    chosen = fitting[0] if fitting else filled[0][0]
    return _sheet(
        chosen,
        _part_of(chosen, parts),
        formulas=_opened(data, data_only=False)[chosen.title],
        told=_told_of_others(chosen, [each.title for each in values.worksheets], fitting),
    )


def _parts(data: bytes) -> dict[str, bytes]:
    """The parts of the workbook that are XML, none of them opened yet.

    Raises UnreadableSample where it is none, too large, or made to fill memory or to ask for other
    files: that must be known before openpyxl opens any of them.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            names = {each.filename for each in opened.infolist()}
            unpacked = sum(each.file_size for each in opened.infolist())
            if "xl/workbook.xml" not in names:
                raise UnreadableSample(
                    "This is no workbook that can be read here. Save it as .xlsx or CSV, and send "
                    "that."
                )
            most = min(MOST_BYTES, max(_FREELY, _TIMES * len(data)))
            if unpacked > most or sum(map(_is_sheet, names)) > _MOST_SHEETS:
                raise UnreadableSample(TOO_LARGE)
            parts = {n: opened.read(n) for n in names if n.lower().endswith((".xml", ".rels"))}
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError):
        raise UnreadableSample("This workbook is cut off or damaged. Send it again.") from None
    except RuntimeError:  # what zipfile says of an encrypted part
        raise UnreadableSample(DAMAGED) from None
    if sum(part.count(b"<") for part in parts.values()) > MOST_TAGS:
        raise UnreadableSample(TOO_LARGE)
    for part in parts.values():
        if any(line.count(b"<") > _MOST_TAGS_OF_A_LINE for line in _ROW.split(part)[1:]):
            raise UnreadableSample(TOO_LARGE)
        # No spreadsheet writes a DTD, nor XML of two bytes a character in which one could hide.
        if b"<!DOCTYPE" in part or b"<!ENTITY" in part or b"\x00" in part[:200]:
            raise UnreadableSample(DAMAGED)
    return parts


def _opened(data: bytes, *, data_only: bool) -> Any:
    """The workbook, to be read line by line: merged cells and far corners then take no memory."""
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of drawings and styles that openpyxl leaves out
            return load_workbook(io.BytesIO(data), data_only=data_only, read_only=True)
    except Exception:  # noqa: BLE001  openpyxl raises whatever a damaged file leads it to
        raise UnreadableSample(DAMAGED) from None


def _is_sheet(name: str) -> bool:
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


def _lines(sheet: Any, *, most: int = _MOST_LINES) -> Iterator[tuple[int, Sequence[Any]]]:
    """Each line with cells in it, and its number.

    Raises UnreadableSample where the sheet goes on for more than `most` lines, or is damaged.
    """
    sheet.reset_dimensions()  # what the sheet says of its own size may be wrong
    cells = 0
    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells += len(row)
            _refuse_large(sheet, lines=number, most=most, cells=cells)
            if row:
                yield number, row
    except UnreadableSample:
        raise
    except Exception:  # noqa: BLE001  openpyxl raises whatever a damaged file leads it to
        raise UnreadableSample(DAMAGED) from None


def _refuse_large(sheet: Any, *, lines: int, most: int, cells: int) -> None:
    if lines > most or cells > MOST_CELLS:
        raise UnreadableSample(
            f"The sheet '{sheet.title[:60]}' is too large. Send its table alone, as CSV."
        )


def _first_line(sheet: Any) -> Sequence[Any]:
    found = _lines(sheet, most=_MOST_BEFORE)
    lines = (row for _, row in found if any(cell.value is not None for cell in row))
    return next(lines, ())


def _part_of(sheet: Any, parts: Mapping[str, bytes]) -> bytes:
    path = str(sheet._worksheet_path)  # nothing public says where a sheet lies
    return parts.get(path.lstrip("/"), b"")


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


def _sheet(sheet: Any, part: bytes, *, formulas: Any, told: list[str]) -> Sheet:
    tags = [_attributes(found[0]) for found in _ROW.finditer(part)]
    numbers = [int(tag["r"]) for tag in tags if tag.get("r", "").isdecimal()]
    if sorted(set(numbers)) != numbers:
        raise UnreadableSample(DAMAGED)  # lines out of their order would be passed over
    lines: list[tuple[int, tuple[str, ...]]] = []
    odd: dict[tuple[int, int], str] = {}
    computed = b"<f" in part or b":f" in part
    written = _lines(formulas) if computed else _lines(sheet)
    for (number, row), (_, as_written) in zip(_lines(sheet), written, strict=True):
        cells = []
        for place, (cell, formula) in enumerate(zip(row, as_written, strict=True)):
            if cell.value is None and not computed:
                cells.append("")
                continue
            text, why = _text(cell)
            if computed and cell.value is None and formula.data_type == "f":
                why = "is a formula whose value was never computed. Open the workbook, save it"
            if why:
                odd[(number, place)] = why
            cells.append(text)
        if any(cells) or any(at == number for at, _ in odd):
            lines.append((number, tuple(cells)))
    told += _told_of_hidden(part, tags, {number for number, _ in lines})
    return Sheet(lines=tuple(lines), told=tuple(told), separator="", odd=odd)


def _told_of_hidden(part: bytes, rows: Sequence[Mapping[str, str]], lines: set[int]) -> list[str]:
    """What is hidden or merged: whoever looks at the sheet sees something else than was read."""
    from openpyxl.utils import get_column_letter

    told = []
    hidden = [tag for tag in rows if _is_hidden(tag) and tag.get("r", "").isdecimal()]
    if count := sum(int(tag["r"]) in lines for tag in hidden):
        told.append(f"{count} of its lines are hidden in the sheet and were read all the same.")
    columns = [tag for tag in map(_attributes, _COLUMN.findall(part)) if _is_hidden(tag)]
    shown = [get_column_letter(min(int(tag.get("min", "1")), 18278)) for tag in columns[:20]]
    if shown:
        told.append(f"Hidden columns ({', '.join(shown)[:60]}) were read like the others.")
    merged = [tag.get("ref", "") for tag in map(_attributes, _MERGED.findall(part)[:20])]
    if merged:
        told.append(f"Merged cells ({', '.join(merged)[:80]}) count as their first cell alone.")
    return told


def _attributes(tag: bytes) -> dict[str, str]:
    return {name.decode(): value.decode("utf-8", "replace") for name, value in _SAID.findall(tag)}


def _is_hidden(tag: Mapping[str, str]) -> bool:
    return tag.get("hidden", "0").strip() in ("1", "true")


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
