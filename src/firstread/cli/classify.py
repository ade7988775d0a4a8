"""`firstread classify`: read pictures or measurements right here, one line each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.progress import progress
from firstread.domain.errors import FirstreadError, UnreadableSample

if TYPE_CHECKING:
    from firstread.packs import Manifest
    from firstread.runtime import PackReader

_MAX_BYTES = 1 << 30
_ALIGNED_UP_TO = 60


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One thing to read: a whole file, or one row of measurements of it."""

    path: str
    line: int | None = None
    """Of a CSV the line, of a JSON list the place, both counted from 1."""
    values: Mapping[str, Any] | None = None
    error: str | None = None


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--pack", "pack_name", required=True, help="The pack's name, or its folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    help="How many samples are read at once.",
)
@click.pass_context
def classify(
    ctx: click.Context, paths: tuple[str, ...], *, pack_name: str, as_json: bool, threads: int
) -> None:
    """Read each PATH with a pack: a file, a folder with all that lies in it, or - for the input.

    A pack of measurements reads JSON (an object or a list of them) and CSV (a row each). Exit
    code 1 where a sample could not be read.
    """
    from firstread.packs import find_pack
    from firstread.runtime import open_reader, read_all

    reader = open_reader(find_pack(pack_name))
    files = list(_files(paths))
    width = min(max((len(path) for path in files), default=0), _ALIGNED_UP_TO)
    asked: Iterable[_Asked] = (_Asked(path=path) for path in files)
    if reader.manifest.measurements:
        asked = _rows(asked, manifest=reader.manifest)
    failed = 0
    watched = len(files) > 1 and sys.stderr.isatty() and not sys.stdout.isatty()
    with progress("Reading", total=len(files), shown=watched) as step:
        answers = read_all(
            asked, lambda one: _answer(one, reader=reader), threads=threads if len(files) > 1 else 1
        )
        for answer in answers:
            failed += "error" in answer
            line = json.dumps(answer) if as_json else _line(answer, width=width)
            click.echo(line)
            step()
    ctx.exit(1 if failed else 0)


def _answer(asked: _Asked, *, reader: PackReader) -> dict[str, Any]:
    place: dict[str, Any] = {"path": asked.path}
    if asked.line is not None:
        place["line"] = asked.line
    if asked.error is not None:
        return place | {"error": asked.error}
    try:
        if asked.values is not None:
            return place | reader.read_measurements(asked.values).read.as_answer()
        return place | reader.read(_bytes(asked.path)).read.as_answer()
    except FirstreadError as error:
        return place | {"error": str(error)}


def _line(answer: dict[str, Any], *, width: int) -> str:
    name = answer["path"] + (f":{answer['line']}" if "line" in answer else "")
    # A file name may hold any bytes, and control signs would move a terminal's cursor.
    name = "".join(sign if sign.isprintable() else "?" for sign in name).ljust(width)
    if "error" in answer:
        return f"{name}  ERROR  {answer['error']}"
    words = [f"{answer['label']:<14} {answer['probability']:7.1%}"]
    others = [label for label in answer["finding_set"] if label != answer["label"]]
    if others:
        words.append(f"perhaps {', '.join(others)}")
    if answer["alarms"]:
        words.append(f"ALARM {', '.join(answer['alarms'])}")
    if answer["familiarity"] is not None and not answer["familiarity"]["familiar"]:
        words.append("UNFAMILIAR")
    if answer["unfit"]:
        words.append(f"UNFIT {answer['unfit']}")
    return f"{name}  {'  '.join(words)}"


def _files(paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        if path != "-" and Path(path).is_dir():
            yield from _inside(path)
        else:
            yield path


def _inside(folder: str) -> Iterator[str]:
    """All files below the folder, sorted. Hidden ones are a system's own and no samples; all
    others are read, so that what is no sample says so and does not vanish."""
    empty = True
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.join(here, name)  # noqa: PTH118  keeps './' as the person wrote it
            if not name.startswith(".") and Path(path).is_file():
                empty = False
                yield path
    if empty:
        yield folder


def _rows(asked: Iterable[_Asked], *, manifest: Manifest) -> Iterator[_Asked]:
    for one in asked:
        try:
            yield from _rows_of(_bytes(one.path), path=one.path, manifest=manifest)
        except FirstreadError as error:
            yield _Asked(path=one.path, error=str(error))


def _rows_of(data: bytes, *, path: str, manifest: Manifest) -> list[_Asked]:
    from firstread.domain.measurements import parse_csv
    from firstread.runtime import json_rows

    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        rows = json_rows(data)
        return [
            _Asked(path=path, line=number if len(rows) > 1 else None, values=values)
            for number, values in enumerate(rows, start=1)
        ]
    table = parse_csv(data, manifest, needs_accession=False)
    asked = [_Asked(path=path, line=row.line, values=row.values) for row in table.rows]
    asked += [_Asked(path=path, line=row.line, error=row.reason) for row in table.refused]
    return sorted(asked, key=lambda one: one.line or 0)


def _bytes(path: str) -> bytes:
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
