"""A table that says of each sample, by its path, what it truly shows."""

from __future__ import annotations

import csv
import posixpath
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from firstread.datasets.truth import UNKNOWN, Truth
from firstread.domain.errors import BadDataset

PATHS = ("path", "file", "filename", "file_name", "image", "name")
LABELS = ("label", "class", "truth")


class LabelsTable:
    """What one table says of each path; `unknown` are the lines whose label nobody knows."""

    def __init__(
        self, name: str, entries: Mapping[str, Truth], *, unknown: Sequence[tuple[int, str]]
    ) -> None:
        self.name = name
        self.entries = entries
        self.unknown = unknown
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
    """The table in a CSV file; None where its first line names no columns for path and label.

    `known` gives the truth that a word stands for. Raises BadDataset where the file cannot be
    read, a line lacks one of the two, or two lines contradict each other.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            return _table(lines, name=path.name, known=known)
    except (UnicodeDecodeError, csv.Error) as why:
        raise BadDataset(
            f"{path.name} is not a CSV file in UTF-8: {why}. Export it again as CSV, or say "
            "--labels none."
        ) from why
    except OSError as why:
        raise BadDataset(
            f"The labels in {path} cannot be read: {why.strerror}. Check the path."
        ) from why


def plain_path(path: str) -> str:
    """One spelling of a path: slashes, no './', accents as most systems write them."""
    return unicodedata.normalize("NFC", posixpath.normpath(path.strip().replace("\\", "/")))


def _table(lines: TextIO, *, name: str, known: Callable[[str], Truth | None]) -> LabelsTable | None:
    header = lines.readline(1 << 16)
    reader = csv.reader(_after(header, lines), delimiter=max(",;\t", key=header.count))
    columns = [cell.strip().casefold() for cell in next(reader, [])]
    path_at = next((columns.index(each) for each in PATHS if each in columns), None)
    label_at = next((columns.index(each) for each in LABELS if each in columns), None)
    if path_at is None or label_at is None:
        return None
    entries: dict[str, Truth] = {}
    first_lines: dict[str, tuple[int, str]] = {}
    unknown: list[tuple[int, str]] = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        line = reader.line_num
        path, label = (cells[at].strip() if at < len(cells) else "" for at in (path_at, label_at))
        if not path or not label:
            raise BadDataset(f"{name}, line {line}, lacks a path or a label. Fill in both columns.")
        key = plain_path(path)
        earlier, other = first_lines.setdefault(key, (line, label))
        if other != label:
            raise BadDataset(
                f"{name} says of '{path[:200]}' that it is '{other[:60]}' on line {earlier} and "
                f"'{label[:60]}' on line {line}. Leave the right one."
            )
        entries[key] = known(label) or UNKNOWN
        if entries[key] is UNKNOWN:
            unknown.append((line, label))
    return LabelsTable(name, entries, unknown=unknown)


def _after(header: str, lines: TextIO) -> Iterator[str]:
    yield header
    yield from lines
