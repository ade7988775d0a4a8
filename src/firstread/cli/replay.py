"""`firstread replay CASE`: does the same pack say the same again?"""

from __future__ import annotations

import dataclasses
import json
import math

import click


@click.command()
@click.argument("case")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one a sample.")
def replay(case: str, *, as_json: bool) -> None:
    """Read the samples of CASE again with the pack that read them, and compare the numbers.

    Exit code 0: the same numbers; 1: other numbers, and what changed.
    """
    from firstread.server.start import open_as_it_is, open_django

    open_django()
    open_as_it_is()
    from firstread.clinic.replay import replay as read_again

    again = read_again(case)
    for each in again:
        if as_json:
            told = dataclasses.asdict(each)
            if not math.isfinite(each.largest_difference):
                told["largest_difference"] = None
            click.echo(json.dumps(told))
        else:
            verdict = "the same" if each.same else "differs"
            because = f": {'; '.join(each.changed)}" if each.changed else ""
            click.echo(f"sample {each.position} by {each.pack} {each.version}: {verdict}{because}")
    if not again:
        click.echo("The case has no reads to compare.", err=True)
    if not again or not all(each.same for each in again):
        raise click.exceptions.Exit(1)
