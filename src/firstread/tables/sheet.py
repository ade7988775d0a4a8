"""The bytes of a table in text become lines of cells: encodings, separators, and `sep=` lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from firstread.domain.errors import UnreadableSample

_SEP = re.compile(r'"?sep=(.)"?[ \t]*', re.IGNORECASE)
_KEPT_AS_TEXT = re.compile(r'="([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Lines that hold something with their numbers, and in words what was not taken as it is."""

    lines: tuple[tuple[int, tuple[str, ...]], ...]
    told: tuple[str, ...] = ()
    separator: str
    """'' of a workbook."""
    odd: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """By line and place, why a cell cannot be taken."""


def open_text(data: bytes | str, *, most_cells: int = 0) -> Sheet:
    """The table in text; raises UnreadableSample where it is none, or beyond `most_cells`."""
    text, told = decoded(data)
    first, _, rest = text.partition("\n")
    said = separator_said(first)
    before = 0
    if said:
        text, before = rest, 1
    separator = said or separator_of(text)
    if most_cells and text.count(separator) + text.count("\n") > most_cells:
        raise UnreadableSample("This table has more cells than are read. Send it in several parts.")
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        lines = tuple((line + before, cells) for line, cells in _filled(reader))
    except (csv.Error, ValueError, TypeError):
        raise UnreadableSample("This is not a table in CSV. Export it again as CSV.") from None
    return Sheet(lines=lines, told=told, separator=separator)


def separator_said(line: str) -> str:
    """The separator that a first line of a spreadsheet names, '' where it names none."""
    found = _SEP.fullmatch(line.rstrip("\r\n"))
    return found[1] if found else ""


def decoded(data: bytes | str) -> tuple[str, tuple[str, ...]]:
    """The text, and what had to be supposed of it."""
    told: tuple[str, ...] = ()
    if isinstance(data, str):
        text = data.removeprefix("\ufeff")
    elif (wide := _utf_16(data)) is not None:
        text = _in(data, wide)
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            # What spreadsheets on Windows write where nobody asked them for UTF-8.
            text = _in(data, "cp1252")
            told = ("The table is not in UTF-8. It was read as Windows writes it (CP 1252).",)
    if "\x00" in text:
        raise UnreadableSample("This is not a table in CSV. Export it again as CSV.")
    if not text.strip():
        raise UnreadableSample("The table is empty. Send it again.")
    return text, told


def _utf_16(data: bytes) -> str | None:
    """UTF-16 by its mark, or by every second byte of its beginning."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:64]
    if len(head) >= 4 and not any(head[1::2]) and all(head[0:-1:2]):
        return "utf-16-le"
    if len(head) >= 4 and not any(head[0::2]) and all(head[1::2]):
        return "utf-16-be"
    return None


def _in(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise UnreadableSample("This is not a table in CSV. Export it again as UTF-8.") from None


def separator_of(text: str) -> str:
    """The separator of the first line that holds something."""
    header = text.lstrip().partition("\n")[0]
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=bare.count)


def _filled(reader: Any) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Rows that hold something, each with the line on which it begins."""
    before = 0
    for cells in reader:
        line, before = before + 1, reader.line_num
        plain = tuple(_KEPT_AS_TEXT.sub(r"\1", cell.strip()) for cell in cells)
        if any(plain):
            yield line, plain
