"""A CSV file as people write it: commas, semicolons or tabs, with or without a byte-order mark."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from firstread.domain.errors import BadDataset

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""What a spreadsheet's "Unicode text" begins with."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The columns by name, and each line that is not empty with its number."""

    name: str
    columns: tuple[str, ...]
    delimiter: str
    lines: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, *names: str) -> str | None:
        """The column that has one of these names, in any case; the first name counts most."""
        folded = {column.casefold(): column for column in reversed(self.columns)}
        return next((folded[name] for name in names if name in folded), None)

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        for number, cells in self.lines:
            yield number, dict(zip(self.columns, cells, strict=True))


def header_of(data: bytes) -> tuple[str, ...]:
    """The columns that the first line names, in lower case; none where it is no text."""
    try:
        head = data[: 1 << 16]
        line = _text(head if head[:2] in _UTF_16 else head.partition(b"\n")[0])
        return tuple(cell.strip().casefold() for cell in next(_reader(line.partition("\n")[0]), []))
    except (UnicodeDecodeError, csv.Error):
        return ()


def open_table(data: bytes, *, name: str) -> Table:
    """The table in the bytes of a CSV file.

    Raises BadDataset, with the line, where it is no CSV, names a column twice, or a line has more
    cells than the first one.
    """
    try:
        text = _text(data)
        reader = _reader(text)
        columns = tuple(cell.strip() for cell in next(reader, []))
        named = [column for column in columns if column]
        twice = next((one for one in named if named.count(one) > 1), None)
        if twice is not None:
            raise BadDataset(f"{name} has two columns '{twice[:60]}'. Leave one of them.")
        lines = tuple(
            (reader.line_num, _fitted(cells, columns, name=name, line=reader.line_num))
            for cells in reader
            if any(cell.strip() for cell in cells)
        )
    except (UnicodeDecodeError, csv.Error) as why:
        raise BadDataset(
            f"{name} is not a CSV file in UTF-8: {why}. Export it again as CSV."
        ) from why
    return Table(name=name, columns=columns, delimiter=_delimiter(text), lines=lines)


def _text(data: bytes) -> str:
    if data[:2] in _UTF_16:
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _reader(text: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _fitted(
    cells: Sequence[str], columns: Sequence[str], *, name: str, line: int
) -> tuple[str, ...]:
    given = [cell.strip() for cell in cells]
    if any(given[len(columns) :]):
        raise BadDataset(
            f"{name}, line {line}, has more cells than the first line has columns. Put quotes "
            "around cells with a comma, or export the table again."
        )
    return tuple(given[: len(columns)]) + ("",) * (len(columns) - len(given))
