"""`firstread replay`: does the same pack say the same again? And what older reads lack."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from firstread.clinic.replay import Tally

NICE = 10
"""By how much filling in gives way to whatever else this machine does, first reads above all."""


@click.command()
@click.argument("case", required=False)
@click.option(
    "--fill", is_flag=True, help="Keep what older reads lack: their embeddings. Of all cases."
)
@click.option("--limit", type=click.IntRange(min=1), help="With --fill: so many reads at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one a sample.")
def replay(case: str | None, *, fill: bool, limit: int | None, as_json: bool) -> None:
    """Read the samples of CASE again with the pack that read them, and compare the numbers.

    Exit code 0: the same numbers; 1: other numbers, and what changed, or a sample was not read.

    With --fill, read again what an older Firstread read, and keep what the network sees with it.
    It can be stopped at any time, and goes on when it is run again. Exit code 1: some reads were
    left as they are, and why.
    """
    if fill == bool(case):
        raise click.UsageError("Name a CASE to compare, or say --fill to fill in what reads lack.")
    if limit is not None and not fill:
        raise click.UsageError("--limit goes with --fill.")
    from firstread.server.start import open_as_it_is, open_django

    open_django()
    open_as_it_is()
    if case:
        _compare(case, as_json=as_json)
    else:
        _fill(limit=limit, as_json=as_json)


def _compare(case: str, *, as_json: bool) -> None:
    from firstread.clinic.replay import replay as read_again
    from firstread.clinic.replay import unread

    again, not_read = read_again(case), unread(case)
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
    for position, why in not_read:
        if as_json:
            click.echo(json.dumps({"position": position, "same": False, "not_read": why}))
        else:
            click.echo(f"sample {position} {why}")
    if not again and not not_read:
        click.echo("The case has no samples.", err=True)
    if not_read or not again or not all(each.same for each in again):
        raise click.exceptions.Exit(1)


def _fill(*, limit: int | None, as_json: bool) -> None:
    from firstread.cli.running import progress
    from firstread.clinic.replay import Tally, fill, without_embedding

    os.nice(NICE)
    tally, began_s = Tally(), time.monotonic()
    try:
        watched = sys.stderr.isatty()
        total = without_embedding().count() if watched else None
        with progress("Filling in", total=total, shown=watched) as step:
            for _ in fill(tally, limit=limit):
                step()
    finally:  # stopped by Ctrl-C, too, it says what it did
        _tell(tally, took_s=time.monotonic() - began_s, as_json=as_json)
    if tally.left:
        raise click.exceptions.Exit(1)


def _tell(tally: Tally, *, took_s: float, as_json: bool) -> None:
    if as_json:
        left = [
            {"reads": reads, "why": why, "case": str(tally.such_as[why])}
            for why, reads in tally.left.most_common()
        ]
        told = {
            "filled": tally.filled,
            "size_bytes": tally.size_bytes,
            "nothing_to_keep": tally.nothing_to_keep,
            "left": left,
        }
        click.echo(json.dumps(told))
        return
    rate = f", {tally.filled / took_s:.0f} a second" if tally.filled and took_s > 0 else ""
    size = f", {tally.size_bytes / tally.filled:.0f} bytes each" if tally.filled else ""
    click.echo(f"{_reads(tally.filled)} filled in{size}{rate}.")
    if tally.nothing_to_keep:
        click.echo(f"{_reads(tally.nothing_to_keep)}: their packs give no embedding of them.")
    for why, reads in tally.left.most_common():
        click.echo(f"{_reads(reads)} left as before, such as of case {tally.such_as[why]}. {why}")


def _reads(count: int) -> str:
    return "1 read" if count == 1 else f"{count:,} reads"
