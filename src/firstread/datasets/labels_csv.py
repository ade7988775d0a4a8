"""A table that says of each sample, by its path, what it truly shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from firstread.datasets.place import plain_path
from firstread.datasets.table import Table, header_of, open_table
from firstread.datasets.truth import UNKNOWN, Truth
from firstread.domain.errors import BadDataset

PATHS = ("path", "file", "filename", "file_name", "image", "name")
LABELS = ("label", "class", "truth")


class LabelsTable:
    """What one table says of each path; `unknown` are the lines whose label nobody knows.

    `told` says what of the table had to be supposed.
    """

    def __init__(
        self,
        name: str,
        entries: Mapping[str, Truth],
        *,
        unknown: Sequence[tuple[int, str]],
        told: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.entries = entries
        self.unknown = unknown
        self.told = tuple(told)
        self._asked: set[str] = set()

    def first(self, *paths: str) -> Truth | None:
        """The truth of the first of these names that the table holds; None where it has none."""
        for path in paths:
            key = plain_path(path)
            if key in self.entries:
                self._asked.add(key)
                return self.entries[key]
        return None

    @property
    def absent(self) -> list[str]:
        """The paths of the table that nobody has asked for."""
        return [path for path in self.entries if path not in self._asked]


def open_labels(path: Path, *, known: Callable[[str], Truth | None]) -> LabelsTable | None:
    """The table in a file; None where its first line names no columns for path and label.

    `known` gives the truth that a word stands for. Raises BadDataset where the file cannot be
    read, a line lacks one of the two, or two lines contradict each other.
    """
    try:
        data = path.read_bytes()
    except OSError as why:
        raise BadDataset(
            f"The labels in {path} cannot be read: {why.strerror}. Check the path."
        ) from why
    head = header_of(data)
    if head and not (set(head) & set(PATHS) and set(head) & set(LABELS)):
        return None
    try:
        table = open_table(data, name=path.name)
    except BadDataset as why:
        raise BadDataset(f"{why} Or say --labels none.") from why
    at, what = table.column(*PATHS), table.column(*LABELS)
    return None if at is None or what is None else _read(table, at=at, what=what, known=known)


def _read(table: Table, *, at: str, what: str, known: Callable[[str], Truth | None]) -> LabelsTable:
    entries: dict[str, Truth] = {}
    first_lines: dict[str, tuple[int, str]] = {}
    unknown: list[tuple[int, str]] = []
    table.refuse_odd(at, what)
    for line, cells in table:
        path, label = cells[at], cells[what]
        if not path or not label:
            raise BadDataset(
                f"{table.name}, line {line}, lacks a path or a label. Fill in both columns."
            )
        key = plain_path(path)
        earlier, other = first_lines.setdefault(key, (line, label))
        if other != label:
            raise BadDataset(
                f"{table.name} says of '{path[:200]}' that it is '{other[:60]}' on line {earlier} "
                f"and '{label[:60]}' on line {line}. Leave the right one."
            )
        entries[key] = known(label) or UNKNOWN
        if entries[key] is UNKNOWN:
            unknown.append((line, label))
    return LabelsTable(table.name, entries, unknown=unknown, told=table.told)
