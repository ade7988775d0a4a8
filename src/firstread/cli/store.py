"""`firstread store`: the bytes of all samples; `verify` holds each file against its hash."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firstread.cli.options import Amount
from firstread.cli.running import progress

if TYPE_CHECKING:
    from firstread.clinic.keeping.store_round import Pace
    from firstread.clinic.models import Chore


@click.group()
def store() -> None:
    """Look after the bytes of the samples."""


@store.command()
@click.option(
    "--mb-a-second",
    type=Amount(min=0),
    default=0.0,
    help="Read no faster than this. Without it: as fast as it goes.",
)
@click.option("--restart", is_flag=True, help="Begin anew where an earlier run was stopped.")
@click.option(
    "--heal-from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Bring missing and damaged bytes back from this backup, or from any folder of samples.",
)
@click.option("--delete-orphaned", is_flag=True, help="Delete bytes that no row speaks of.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, the last one in all."
)
def verify(
    *,
    mb_a_second: float,
    restart: bool,
    heal_from: Path | None,
    delete_orphaned: bool,
    as_json: bool,
) -> None:
    """Hold every file of the store against its hash, and tell what is missing or damaged.

    Stopped or killed, it goes on where it was. Exit code 0: all is there; 1: something is not.
    """
    from firstread.server.start import open_as_it_is, open_django

    open_django()
    open_as_it_is()
    from firstread.clinic.keeping import store_mending
    from firstread.clinic.keeping.store_round import COMMAND

    chore = _claimed(COMMAND)
    counts = _go_round(chore, mb_a_second=mb_a_second, restart=restart)
    healed = store_mending.heal(heal_from) if heal_from else 0
    deleted = store_mending.delete_orphaned() if delete_orphaned else 0
    faults = store_mending.faults()
    for fault in faults:
        cases = store_mending.cases(fault)
        if as_json:
            told = {"place": fault.place, "ails": str(fault.ails), "cases": cases}
            click.echo(json.dumps(told))
        else:
            of = f"  cases {', '.join(cases)}" if cases else ""
            click.echo(f"{fault.ails:<10}  {fault.place}{of}")
    lost = [fault for fault in faults if fault.ails != "orphaned"]
    if as_json:
        done = {**counts, "faults": len(faults), "healed": healed, "deleted": deleted}
        click.echo(json.dumps(done))
    else:
        click.echo(_said(counts, lost=len(lost), orphaned=len(faults) - len(lost)))
        if healed or deleted:
            click.echo(f"{healed} brought back, {deleted} orphaned deleted.")
        if lost:
            click.echo(
                "Bring them back: firstread store verify --heal-from BACKUP, or put the samples in "
                "again."
            )
    if lost:
        raise click.exceptions.Exit(1)


def _claimed(name: str) -> Chore:
    from firstread.clinic.keeping import chores
    from firstread.domain.errors import WrongState

    chore = chores.claim(name)
    if chore is None:
        raise WrongState(
            "Another 'firstread store verify' is under way, or was killed in the last two minutes. "
            "Let it end, or try again."
        )
    return chore


def _go_round(chore: Chore, *, mb_a_second: float, restart: bool) -> dict[str, int]:
    """Go on to the end of the round; returns how many files and bytes it read."""
    import threading

    from firstread.clinic.keeping import chores, store_round
    from firstread.clinic.storage import store as samples
    from firstread.domain.errors import StoreTrouble

    if away := samples.why_away():
        raise StoreTrouble(away)
    if restart:
        chore.ended_at = chore.began_at
    pace: Pace = store_round.Pace(chore=chore, mb_a_second=mb_a_second, stop=threading.Event())
    try:
        with progress(
            "Checking", total=store_round.expected_files(), shown=sys.stderr.isatty()
        ) as steps:
            done = 0
            while store_round.step(chore, pace=pace):
                for _ in range(chore.counts["files"] - done):
                    steps()
                done = chore.counts["files"]
                if not store_round.under_way(chore):
                    return dict(chore.counts)
    finally:
        chores.let_go(chore)
    raise StoreTrouble(
        "Another process went on with this round, which this one was silent in for too long. Run "
        "it again."
    )


def _said(counts: dict[str, int], *, lost: int, orphaned: int) -> str:
    size = f"{counts['size_bytes'] / 1e6:,.1f} MB"
    return (
        f"{counts['files']:,} files ({size}) checked: {lost} missing or damaged, "
        f"{orphaned} orphaned."
    )
