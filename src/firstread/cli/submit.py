"""`firstread submit`: sends samples to a Firstread server, each once, however often it is run."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.progress import progress
from firstread.domain.errors import BadConfiguration, FirstreadError, UnknownCheck, Unreachable
from firstread.inbox.names import accession_pattern

if TYPE_CHECKING:
    from firstread.client import Client, Submitted
    from firstread.domain.measurements import TakesMeasurements

MOST_AT_ONCE = 16
MOST_BYTES = 32 * 2**20
"""In one request; half of what a server takes unless set otherwise, and little to send again."""


@dataclass(frozen=True, kw_only=True)
class _Parcel:
    """What is sent in one request: files of one case, or one row of a table."""

    files: tuple[Path, ...]
    accession: str
    patient: str = ""
    line: int | None = None
    values: dict[str, float | None] | None = None
    refused: str = ""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--check", required=True, help="What is asked of the samples, such as leukaemia.")
@click.option("--accession", default="", help="One number for all; else each file's name has it.")
@click.option("--patient", default="", help="The patient's number at the site.")
@click.option("--one-case", is_flag=True, help="All files make one case.")
@click.option("--pattern", default="", help="Finds (?P<accession>...) in a file's name.")
@click.option(
    "--server",
    envvar="FIRSTREAD_SERVER",
    default="http://127.0.0.1:8000",
    show_default=True,
    show_envvar=True,
    help="The server's address.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def submit(
    ctx: click.Context,
    paths: tuple[str, ...],
    *,
    check: str,
    accession: str,
    patient: str,
    one_case: bool,
    pattern: str,
    server: str,
    as_json: bool,
) -> None:
    """Send each PATH, a file or a folder with all that lies in it, to a server.

    The token stands in FIRSTREAD_TOKEN. Run again after a failure it goes on where it stopped:
    the server receives nothing twice. Exit code 1: something was refused, or the server did not
    answer.
    """
    import os

    from firstread.client import Client

    files = _files(paths)
    with Client(server, os.environ.get("FIRSTREAD_TOKEN", "")) as client:
        asked = _check(client, check)
        if asked["kind"] == "measurements":
            parcels = _rows(files, asked, accession=accession, patient=patient)
        else:
            found = accession_pattern(pattern)
            parcels = (_recordings if asked["kind"] == "recording" else _images)(
                files,
                accession_of=lambda file: accession or _accession(file, found),
                patient=patient,
                many=asked["many"],
                one_case=one_case,
            )
        refused = _send(client, parcels, check=check, as_json=as_json)
    ctx.exit(1 if refused else 0)


def _send(client: Client, parcels: Sequence[_Parcel], *, check: str, as_json: bool) -> int:
    """Send the parcels and tell of each; returns how many things were refused."""
    refused = 0
    watched = len(parcels) > 2 and sys.stderr.isatty()
    with progress("Sending", total=len(parcels), shown=watched) as step:
        for sent, parcel in enumerate(parcels):
            try:
                told = _told(parcel, _one(client, parcel, check=check))
            except Unreachable as error:
                raise Unreachable(
                    f"{error} {sent} of {len(parcels)} were sent; run the same command again to "
                    "send the others."
                ) from None
            except (UnknownCheck, BadConfiguration):
                raise
            except FirstreadError as error:
                told = {"files": [str(file) for file in parcel.files], "refused": [str(error)]}
            if parcel.line is not None:
                told["line"] = parcel.line
            refused += len(told["refused"])
            click.echo(json.dumps(told) if as_json else _line(told))
            step()
    return refused


def _one(client: Client, parcel: _Parcel, *, check: str) -> Submitted:
    if parcel.refused:
        raise FirstreadError(parcel.refused)
    accession, patient = parcel.accession, parcel.patient
    if parcel.values is not None:
        return client.submit_measurements(
            parcel.values, check=check, accession=accession, patient=patient
        )
    return client.submit(parcel.files, check=check, accession=accession, patient=patient)


def _told(parcel: _Parcel, done: Submitted) -> dict[str, Any]:
    return {
        "files": [str(file) for file in parcel.files],
        "case": done.case_id,
        "created": done.created,
        "added": done.added,
        "refused": [f"{name}: {reason}" for name, reason in done.refused],
    }


def _line(told: dict[str, Any]) -> str:
    files: list[str] = told["files"]
    what = files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    if told.get("line"):
        what = f"{what}, line {told['line']}"
    said = []
    if "case" in told:
        became = "new case" if told["created"] else "joined" if told["added"] else "there already"
        said.append(f"{became}  {told['case']}")
    said += [f"refused: {each}" for each in told["refused"]]
    return f"{what}  " + "; ".join(said)


def _files(paths: Sequence[str]) -> list[Path]:
    from firstread.inbox.names import passed_over

    files: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if file.is_file())
            files += [
                file
                for file in inside
                if not any(passed_over(part) for part in file.relative_to(path).parts)
            ]
        elif path.is_file():
            files.append(path)
        else:
            raise BadConfiguration(f"There is no file '{given}'. Check the path.")
    if not files:
        raise BadConfiguration("There are no files in that folder. Check the path.")
    return files


def _check(client: Client, name: str) -> dict[str, Any]:
    checks = {check["name"]: check for check in client.checks() if check["enabled"]}
    if name not in checks:
        raise UnknownCheck(
            f"The server has no check '{name}'. It has: {', '.join(sorted(checks)) or 'none'}."
        )
    return checks[name]


def _accession(file: Path, pattern: re.Pattern[str]) -> str:
    from firstread.inbox.names import plain

    found = pattern.search(plain(file.name))
    return (found["accession"] or "") if found else ""


def _images(
    files: Sequence[Path],
    *,
    accession_of: Callable[[Path], str],
    patient: str,
    many: bool,
    one_case: bool,
) -> list[_Parcel]:
    """The files by case; where a check takes one image a case, one by one."""
    if one_case:
        accession = _shared(files, accession_of, many=many, samples=len(files), kind="image")
        return _parcels(list(files), accession=accession, patient=patient)
    parcels: list[_Parcel] = []
    for accession, group in groupby(sorted(files, key=accession_of), key=accession_of):
        if many and accession:
            parcels += _parcels(list(group), accession=accession, patient=patient)
        else:
            parcels += [
                _Parcel(files=(file,), accession=accession, patient=patient) for file in group
            ]
    return parcels


def _shared(
    files: Sequence[Path],
    accession_of: Callable[[Path], str],
    *,
    many: bool,
    samples: int,
    kind: str,
) -> str:
    """The accession of files that shall be one case; raises BadConfiguration where they cannot."""
    if samples > 1 and not many:
        raise BadConfiguration(f"This check takes one {kind} a case. Leave --one-case out.")
    found = next((named for file in files if (named := accession_of(file))), "")
    if samples > 1 and not found:
        raise BadConfiguration("--one-case needs --accession: no file's name holds a number.")
    return found


def _recordings(
    files: Sequence[Path],
    *,
    accession_of: Callable[[Path], str],
    patient: str,
    many: bool,
    one_case: bool,
) -> list[_Parcel]:
    """Each recording in a request of its own, the two files of one together."""
    from firstread.recordings.together import together

    places = together([str(file) for file in files])
    groups = [tuple(files[place] for place in each) for each in places]
    if one_case:
        shared = _shared(files, accession_of, many=many, samples=len(groups), kind="recording")
        return [_Parcel(files=group, accession=shared, patient=patient) for group in groups]
    return [
        _Parcel(files=group, accession=accession_of(group[0]), patient=patient) for group in groups
    ]


def _parcels(files: list[Path], *, accession: str, patient: str) -> list[_Parcel]:
    parcels: list[list[Path]] = [[]]
    size_bytes = 0
    for file in files:
        size_bytes += file.stat().st_size
        if parcels[-1] and (size_bytes > MOST_BYTES or len(parcels[-1]) >= MOST_AT_ONCE):
            parcels.append([])
            size_bytes = file.stat().st_size
        parcels[-1].append(file)
    return [_Parcel(files=tuple(each), accession=accession, patient=patient) for each in parcels]


def _rows(
    files: Sequence[Path], asked: dict[str, Any], *, accession: str, patient: str
) -> list[_Parcel]:
    """Each row of the tables; what cannot be read is a parcel that says why."""
    from firstread.domain.measurements import parse_table

    manifest: TakesMeasurements = SimpleNamespace(
        measurements=tuple(SimpleNamespace(**each) for each in asked["measurements"])
    )
    parcels: list[_Parcel] = []
    for file in files:
        try:
            table = parse_table(file.read_bytes(), manifest)
        except FirstreadError as error:
            parcels.append(_Parcel(files=(file,), accession="", refused=str(error)))
            continue
        alone = len(table.rows) + len(table.refused) == 1
        own = accession or _accession(file, accession_pattern(""))
        parcels += [
            _Parcel(
                files=(file,),
                accession=row.accession or (own if alone else ""),
                patient=row.patient or patient,
                line=row.line,
                values=row.values,
            )
            for row in table.rows
        ]
        parcels += [
            _Parcel(files=(file,), accession="", line=row.line, refused=row.reason)
            for row in table.refused
        ]
    return parcels
