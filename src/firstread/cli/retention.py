"""`firstread retention`: what has been kept as long as it should be goes."""

from __future__ import annotations

import json
import sys

import click

from firstread.cli.running import progress


@click.command()
@click.option("--yes", is_flag=True, help="Erase it. Without this it is only counted.")
@click.option("--hold", metavar="CASE", help="Keep this case as it is until it is let go.")
@click.option("--because", default="", help="With --hold: why, in one line.")
@click.option("--release", metavar="CASE", help="Let a case go that was held.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def retention(
    *, yes: bool, hold: str | None, because: str, release: str | None, as_json: bool
) -> None:
    """Count what the terms of [retention] and [checks.NAME] say must go now; with --yes erase it.

    What is not signed off, and what is held, is never touched.
    """
    from firstread.server.start import open_as_it_is, open_django

    open_django()
    open_as_it_is()
    from django.conf import settings

    from firstread.clinic.keeping import retention as step
    from firstread.clinic.queue.find_case import found_case

    if hold is not None:
        if not because.strip() or len(because) > 300:
            raise click.UsageError("Say why in one line: --because TEXT")
        step.hold(found_case(hold), reason=because.strip())
        click.echo("It is held: nothing of it is erased until it is let go.")
        return
    if release is not None:
        step.let_go(found_case(release))
        click.echo("It goes when its time comes.")
        return
    found = step.due(settings.FIRSTREAD)
    if yes:
        total = sum(found.counts.values())
        with progress("Erasing", total=total, shown=sys.stderr.isatty()) as steps:
            for _ in step.carry_out(found):
                steps()
    if as_json:
        click.echo(json.dumps({**found.counts, "erased": yes}))
        return
    counts = found.counts
    click.echo(
        f"{counts['cases']} cases, {counts['samples']} samples of cases that stay, the names of "
        f"{counts['names']} cases, {counts['refused']} refused files: "
        + ("erased." if yes else "due to go. Nothing was erased; --yes does it.")
    )
