"""A table of labelled samples: what any door takes for a table, with its columns by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.tables.identifiers import lost_zeros, refusal
from firstread.tables.sheet import Sheet, open_text
from firstread.tables.workbook import is_workbook, open_workbook

_OF_LABELS = {"label", "class", "truth", "diagnosis", "target"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """The columns by name, and each line that is not empty with its number."""

    name: str
    columns: tuple[str, ...]
    separator: str
    lines: tuple[tuple[int, tuple[str, ...]], ...]
    told: tuple[str, ...] = ()
    """What was not read of it, or had to be supposed."""
    odd: Mapping[tuple[int, str], str] = field(default_factory=dict)
    """By line and column, why a cell cannot be taken."""

    def column(self, *names: str) -> str | None:
        """The column that has one of these names, in any case; the first name counts most."""
        folded = {column.casefold(): column for column in reversed(self.columns)}
        return next((folded[name] for name in names if name in folded), None)

    def refuse_odd(self, *columns: str | None) -> None:
        """Raises BadDataset where a cell of these columns holds what nobody can take."""
        for (line, column), why in sorted(self.odd.items()):
            if column in columns:
                raise BadDataset(f"{self.name}, line {line}: {column} {why}, and try again.")

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        for number, cells in self.lines:
            yield number, dict(zip(self.columns, cells, strict=True))


def refuse_changed(table: Table, column: str | None) -> None:
    """Raises BadDataset where a spreadsheet has changed whose a sample is."""
    if column is None:
        return
    whose = {line: row[column] for line, row in table}
    each = (refusal(text, line=line, what=column) for line, text in whose.items())
    why = next(filter(None, each), "") or next(iter(lost_zeros(whose, what=column).values()), "")
    if why:
        raise BadDataset(f"{table.name}: {why}")


def header_of(data: bytes) -> tuple[str, ...]:
    """The columns that the first line names, in lower case; none where it is no table."""
    try:
        # A line `sep=` may stand before it.
        plain = is_workbook(data) or b"\x00" in data[:64] or data[:2] in (b"\xff\xfe", b"\xfe\xff")
        sheet = _opened(data if plain else b"\n".join(data[: 1 << 16].split(b"\n")[:2]))
    except UnreadableSample:
        return ()
    return tuple(cell.casefold() for cell in sheet.lines[0][1]) if sheet.lines else ()


def open_table(data: bytes, *, name: str) -> Table:
    """The table in the bytes of a CSV file or a workbook.

    Raises BadDataset, with the line, where it is none, names a column twice, or a line has more
    cells than the first one.
    """
    try:
        sheet = _opened(data)
    except UnreadableSample as why:
        raise BadDataset(f"{name}: {why}") from why
    columns = sheet.lines[0][1]
    named = [column for column in columns if column]
    twice = next((one for one in named if named.count(one) > 1), None)
    if twice is not None:
        raise BadDataset(f"{name} has two columns '{twice[:60]}'. Leave one of them.")
    return Table(
        name=name,
        columns=columns,
        separator=sheet.separator,
        lines=tuple(
            (line, _fitted(cells, columns, name=name, line=line)) for line, cells in sheet.lines[1:]
        ),
        told=tuple(f"{name}: {each}" for each in sheet.told),
        odd={
            (line, columns[at]): why for (line, at), why in sheet.odd.items() if at < len(columns)
        },
    )


def _opened(data: bytes) -> Sheet:
    if is_workbook(data):
        return open_workbook(data, lambda first: bool({c.casefold() for c in first} & _OF_LABELS))
    return open_text(data)


def _fitted(
    cells: Sequence[str], columns: Sequence[str], *, name: str, line: int
) -> tuple[str, ...]:
    if any(cells[len(columns) :]):
        raise BadDataset(
            f"{name}, line {line}, has more cells than the first line has columns. Put quotes "
            "around cells with a comma, or export the table again."
        )
    return tuple(cells[: len(columns)]) + ("",) * (len(columns) - len(cells))
