"""`firstread erase`: a patient is forgotten."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from firstread.cli.running import progress

if TYPE_CHECKING:
    from firstread.clinic.keeping.erase_patient import Forgotten, Plan


@click.command()
@click.argument("patient")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Tell what would be erased, and erase nothing.")
@click.option("--even-undecided", is_flag=True, help="Also cases that nobody has signed off yet.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; needs --yes or --dry-run.")
def erase(*, patient: str, yes: bool, dry_run: bool, even_undecided: bool, as_json: bool) -> None:
    """Forget the PATIENT of that number, or of that name where one alone bears it.

    Erases cases, samples, reads, answers, messages, what was made of them and what the inbox keeps,
    and names the backups and edges that may still hold copies. It runs beside everything else, and
    killed it goes on when it is called again.
    """
    from firstread.server.start import open_as_it_is, open_django

    open_django()
    open_as_it_is()
    from firstread.clinic.keeping.erase_patient import forget, plan_of

    plan = plan_of(patient)
    if not as_json:
        _tell_plan(plan)
    if dry_run:
        if as_json:
            click.echo(json.dumps(_counts(plan)))
        return
    if not yes and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("Nobody can be asked here: say --yes, or --dry-run to look first.")
    if not yes:
        click.confirm("It cannot be brought back. Erase it?", abort=True)
    with progress("Erasing", total=len(plan.cases), shown=sys.stderr.isatty()) as steps:
        done = forget(plan, even_undecided=even_undecided, after_each=steps)
    if as_json:
        told = _counts(plan) | {"samples": len(done.samples), "shared": len(done.shared)}
        click.echo(json.dumps(told | {"files": done.files, "left": done.left}))
    else:
        _tell_done(plan, done)


def _counts(plan: Plan) -> dict[str, object]:
    return {
        "cases": len(plan.cases),
        "undecided": len(plan.undecided),
        "held": len(plan.held),
        "refused": len(plan.refused),
        "backups": plan.backups,
        "edges": plan.edges,
    }


def _tell_plan(plan: Plan) -> None:
    click.echo(
        f"{len(plan.cases)} cases ({len(plan.undecided)} not signed off, {len(plan.held)} held), "
        f"{len(plan.refused)} refused files."
    )


def _tell_done(plan: Plan, done: Forgotten) -> None:
    click.echo(
        f"Erased: {done.cases} cases, {len(done.samples)} samples, {done.messages} messages, "
        f"{done.files} files of the inbox."
    )
    if done.shared:
        click.echo(
            f"{len(done.shared)} samples stay: another case holds the same bytes. "
            "'firstread erase' of that case's patient erases them."
        )
    for place in plan.backups:
        click.echo(f"The backup {place} still holds copies: delete it, or let it age out.")
    for host in plan.edges:
        click.echo(f"The edge {host} sent samples, and may keep them in its spool: look there.")
    for sentence in done.left:
        click.echo(sentence)
