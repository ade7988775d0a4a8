"""`firstread submit`: sends samples to a Firstread server, each once, however often it is run."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.kinds import KINDS
from firstread.cli.parcels import Asked, Parcel
from firstread.cli.running import progress
from firstread.domain.errors import BadConfiguration, FirstreadError, UnknownCheck, Unreachable

if TYPE_CHECKING:
    from firstread.client import Client, Submitted


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
        found = _check(client, check)
        asked = Asked(
            check=found, accession=accession, patient=patient, one_case=one_case, pattern=pattern
        )
        parcels = KINDS[found["kind"]].parcels_of(files, asked)
        refused = _send(client, parcels, check=check, as_json=as_json)
    ctx.exit(1 if refused else 0)


def _send(client: Client, parcels: Sequence[Parcel], *, check: str, as_json: bool) -> int:
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


def _one(client: Client, parcel: Parcel, *, check: str) -> Submitted:
    if parcel.refused:
        raise FirstreadError(parcel.refused)
    accession, patient = parcel.accession, parcel.patient
    if parcel.values is not None:
        return client.submit_measurements(
            parcel.values, check=check, accession=accession, patient=patient
        )
    return client.submit(parcel.files, check=check, accession=accession, patient=patient)


def _told(parcel: Parcel, done: Submitted) -> dict[str, Any]:
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
    from firstread.files.left_over import folder_passed_over, passed_over

    files: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if file.is_file())
            files += [
                file
                for file in inside
                if not passed_over(file.name)
                and not any(map(folder_passed_over, file.relative_to(path).parts[:-1]))
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
