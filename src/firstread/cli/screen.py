"""`firstread screen`: read a whole archive into one table, as fast as this machine can."""

from __future__ import annotations

import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from firstread.cli.options import precision
from firstread.cli.print_answers import printable

if TYPE_CHECKING:
    from firstread.edge.screen.run import Progress
    from firstread.edge.screen.summary import Summary
    from firstread.packs import Precision

_LINE_EVERY_S = 10.0
_RATE_OVER_S = 10.0
_OTHER_TABLES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".xls", ".ods"}
"""Under such a name whoever opens the table finds nothing that can be read."""


@click.command()
@click.argument("source")
@click.option("--pack", required=True, help="The pack's name, or its folder.")
@precision
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The table to write, such as results.parquet.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    default=None,
    help="How many samples are read at once.  [default: one a core]",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where samples are read: here, or on a Ray cluster.",
)
@click.option("--ray-address", help="The cluster's address; without it Ray runs on this machine.")
@click.option("--restart", is_flag=True, help="Forget what was read, and begin anew.")
@click.pass_context
def screen(
    ctx: click.Context,
    source: str,
    *,
    pack: str,
    precision: Precision,
    out: Path,
    threads: int | None,
    engine: Literal["local", "ray"],
    ray_address: str | None,
    restart: bool,
) -> None:
    """Read every sample of SOURCE with a pack into one table.

    SOURCE is a folder, a zip file, a CSV file of addresses, or s3://, az:// or gs://. Stopped or
    killed, the same command goes on where it was. Exit code 1 where a sample could not be read.
    """
    from firstread.edge.screen.run import Screening
    from firstread.edge.screen.run import screen as screen_archive

    if ray_address is not None and engine != "ray":
        raise click.UsageError("--ray-address goes with --engine ray.")
    if not out.absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder '{out.parent}' for --out. Make it first.")
    if out.suffix.casefold() in _OTHER_TABLES:
        raise click.UsageError(
            f"The table is written as Parquet, which '{printable(out.name)}' would not say. Name "
            f"it {printable(out.stem)}.parquet."
        )
    asked = Screening(
        source=source,
        pack=pack,
        precision=precision,
        out=out,
        threads=threads,
        engine=engine,
        ray_address=ray_address,
        restart=restart,
    )
    try:
        with _watching() as watch:
            summary = screen_archive(asked, watch=watch)
    except KeyboardInterrupt:
        click.echo(
            "\nfirstread: Stopped. Run the same command again: it goes on where it stopped.",
            err=True,
        )
        ctx.exit(128 + signal.SIGINT)
    _say(summary, out=out)
    ctx.exit(1 if summary.unreadable and summary.finished_before is None else 0)


def _say(summary: Summary, *, out: Path) -> None:
    name = printable(str(out))
    if summary.finished_before is not None:
        click.echo(
            f"{name} was finished at {summary.finished_before}: {summary.samples} samples, "
            f"{summary.unreadable} unreadable. --restart reads the archive anew."
        )
        return
    width = max((len(label) for label, _ in summary.labels), default=0)
    for label, count in summary.labels:
        click.echo(f"{label.ljust(width)}  {count:>9}")
    click.echo(
        f"{summary.samples} samples: {summary.samples - summary.unreadable} read, of them "
        f"{summary.alarms} with an alarm; {summary.unreadable} unreadable."
    )
    if summary.doubtful:
        why = ", ".join(f"{count} {why}" for why, count in summary.doubtful)
        click.echo(f"No finding stands for {why}: a person reads them unaided.")
    for path, reason in summary.reasons:
        click.echo(f"  {printable(path)}  {reason}")
    if summary.unreadable > len(summary.reasons):
        more = summary.unreadable - len(summary.reasons)
        click.echo(f"  and {more} more: see the column 'error'.")
    if summary.unfetched:
        click.echo(
            f"{summary.unfetched} could not be fetched just now; the same command tries them again."
        )
    click.echo(f"The table is {name}.")


@contextmanager
def _watching() -> Iterator[Callable[[Progress], None]]:
    """A bar where a person watches standard error, else a line now and then."""
    rate = _Rate()
    if not sys.stderr.isatty():
        yield _Lines(rate)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
    with Bar("Reading", *columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, said="")

        def watch(progress: Progress) -> None:
            said = rate.said(progress)
            bar.update(task, completed=progress.answered, total=progress.total, said=said)

        yield watch


class _Rate:
    """Samples a second over the last seconds, and what follows from it."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def said(self, progress: Progress) -> str:
        now = time.monotonic()
        self._seen.append((now, progress.answered))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_OVER_S:
            self._seen.popleft()
        began, answered = self._seen[0]
        rate = (progress.answered - answered) / (now - began) if now > began else 0.0
        words = [f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s"]
        if rate > 0 and progress.total is not None:
            words.append(f"{_duration((progress.total - progress.answered) / rate)} left")
        if progress.unreadable:
            words.append(f"{progress.unreadable} unreadable")
        return ", ".join(words)


class _Lines:
    """A plain line every few seconds, for logs."""

    def __init__(self, rate: _Rate) -> None:
        self._rate = rate
        self._said_at = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        said = self._rate.said(progress)
        if time.monotonic() - self._said_at < _LINE_EVERY_S:
            return
        self._said_at = time.monotonic()
        of = "" if progress.total is None else f" of {progress.total}"
        click.echo(f"firstread: {progress.answered}{of} answered, {said}", err=True)


def _duration(left_s: float) -> str:
    minutes, seconds = divmod(max(0, round(left_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
