"""What the PATHs of `classify` and `client` name: files, those in folders, the rows of tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firstread.domain.errors import FirstreadError, UnreadableSample
from firstread.files.left_over import folder_passed_over, passed_over
from firstread.recordings.together import (
    files_beside,
    half_of_a_pair,
    is_header,
    named_elsewhere,
    other_half,
)

if TYPE_CHECKING:
    from firstread.tables.columns import TakesMeasurements

_MAX_BYTES = 1 << 30
ANNOTATIONS = (".atr", ".ecg", ".qrs")
"""What lies beside a recording and says what its beats are: no sample."""


@dataclass(frozen=True, kw_only=True)
class ToRead:
    """One thing to read: a whole file, or one row of measurements of it."""

    path: str
    beside: str = ""
    """The .dat or .mat file of a header, which is one sample with it."""
    root: str = ""
    """The folder that was named for it; '' where the file was named itself."""
    line: int | None = None
    """Of a CSV the line, of a JSON list the place, both counted from 1."""
    values: Mapping[str, Any] | None = None
    label: str = ""
    """What a table says that its row truly shows."""
    error: str | None = None


def files_of(paths: Sequence[str]) -> Iterator[ToRead]:
    """Each file, and of each folder all that lies in it; a .hea and its .dat are one sample."""
    seen: set[str] = set()
    for file in _each(paths):
        path = Path(file.path)
        other = other_half(path) if half_of_a_pair(path.name) else None
        if other is None:
            if named_elsewhere(path):
                continue
            if not (path.suffix.lower() in ANNOTATIONS and path.with_suffix(".hea").exists()):
                yield file
            continue
        header, samples = (path, other) if is_header(path) else (other, path)
        if str(header) not in seen:
            seen.add(str(header))
            named = file.path if is_header(path) else str(header)
            yield replace(file, path=named, beside=str(samples))


def _each(paths: Sequence[str]) -> Iterator[ToRead]:
    for path in paths:
        if path != "-" and Path(path).is_dir():
            yield from _inside(path)
        else:
            yield ToRead(path=path)


def _inside(folder: str) -> Iterator[ToRead]:
    """All files below the folder, sorted. What a system keeps there is no sample; all others are
    read, so that what is no sample says so and does not vanish, and a folder that is closed too."""
    empty = True
    closed: list[OSError] = []
    for here, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not folder_passed_over(name))
        for name in sorted(files):
            path = os.path.join(here, name)  # noqa: PTH118  keeps './' as the person wrote it
            if not passed_over(name) and Path(path).is_file():
                empty = False
                yield ToRead(path=path, root=folder)
    for error in closed:
        empty = False
        why = f"This folder cannot be listed ({error.strerror}). Check its rights."
        yield ToRead(path=str(error.filename), root=folder, error=why)
    if empty:
        yield ToRead(path=folder)


def rows_of(files: Iterable[ToRead], *, takes: TakesMeasurements) -> Iterator[ToRead]:
    """The rows of tables and JSON files, each as something to read by itself."""
    for file in files:
        try:
            yield from _rows_in(bytes_of(file.path), file=file, takes=takes)
        except FirstreadError as error:
            yield replace(file, error=str(error))


def _rows_in(data: bytes, *, file: ToRead, takes: TakesMeasurements) -> list[ToRead]:
    import click

    from firstread.tables.measurements import parse_table

    table = parse_table(data, takes, needs_accession=False)
    for told in table.told:
        click.echo(f"firstread: {file.path}: {told}", err=True)
    json_alone = len(table.rows) + len(table.refused) == 1 and data.lstrip()[:1] == b"{"
    asked = [
        replace(file, line=None if json_alone else row.line, values=row.values, label=row.label)
        for row in table.rows
    ]
    asked += [replace(file, line=row.line, error=row.reason) for row in table.refused]
    return sorted(asked, key=lambda one: one.line or 0)


def sample_of(asked: ToRead) -> bytes:
    """The bytes of a whole sample; raises UnreadableSample with the reason."""
    if not asked.beside:
        return bytes_of(asked.path)
    from firstread.recordings import join_pair

    paths = dict.fromkeys([asked.path, asked.beside, *map(str, files_beside(Path(asked.path)))])
    return join_pair({Path(path).name: bytes_of(path) for path in paths})


def bytes_of(path: str) -> bytes:
    """The bytes of a file, or of the input for '-'; raises UnreadableSample with the reason."""
    if path == "-":
        return sys.stdin.buffer.read(_MAX_BYTES)
    file = Path(path)
    try:
        if file.is_dir():
            raise UnreadableSample("This folder holds no files. Name a folder that does.")
        if file.stat().st_size > _MAX_BYTES:
            raise UnreadableSample("This file is larger than 1 GiB. Send a smaller picture.")
        return file.read_bytes()
    except FileNotFoundError:
        raise UnreadableSample("There is no such file. Check the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "bad name"
        raise UnreadableSample(
            f"This file cannot be opened ({reason}). Check its rights."
        ) from None
