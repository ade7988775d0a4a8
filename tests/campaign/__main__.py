"""`python -m tests.campaign`: one campaign, with a bar while it runs and a report at its end."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.campaign.campaign import Plan, run
from tests.campaign.ledger import Moment
from tests.campaign.report import write


@click.command()
@click.option("--samples", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option("--seed", type=int, help="The same seed gives the same samples and faults.")
@click.option("--database", type=click.Choice(["sqlite", "postgresql"]), default="postgresql")
@click.option("--minutes", type=float, default=60.0, show_default=True, help="No longer.")
@click.option("--a-second", type=float, default=7.0, show_default=True, help="Samples that come.")
@click.option("--lease-s", type=float, help="reading.lease_s; what ships unless given.")
@click.option("--report", type=click.Path(path_type=Path), default=Path("build/campaign"))
def main(
    samples: int,
    *,
    seed: int | None,
    database: str,
    minutes: float,
    a_second: float,
    lease_s: float | None,
    report: Path,
) -> None:
    """Put samples in while everything around them breaks, and count what came of it.

    Exit code 1: something was lost, counted twice, unfit without its own fault, or waited longer
    than a minute after the mending.
    """  # fmt: skip
    seed = random.randrange(10**6) if seed is None else seed
    click.echo(f"seed {seed}, {samples} samples, {database}")
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn()) as progress:
        bar = progress.add_task("", total=samples)
        last = [""]

        def told(moment: Moment, what: str) -> None:
            waits = f"{moment.waiting}+{moment.leaving} wait; {what}"
            progress.update(bar, completed=moment.put_in, description=waits[:60])
            if not progress.console.is_terminal and what != last[0]:
                last[0] = what  # a line for each trouble, where a bar would not be seen
                click.echo(f"{moment.at_s:.0f} s, {moment.put_in} of {samples}: {waits}")

        plan = Plan(
            samples=samples, seed=seed, database=database, minutes=minutes, a_second=a_second,
            lease_s=lease_s, told=told,
        )  # fmt: skip
        work = Path(tempfile.mkdtemp(prefix="firstread-campaign-"))
        outcome = run(plan, work=work)
    folder = write(outcome, report)
    click.echo((folder / "campaign.md").read_text())
    click.echo(f"seed {seed}; the report is in {folder}, what was left in {work}")
    sys.exit(1 if outcome.ledger.wrong else 0)


if __name__ == "__main__":
    main()
