"""`firstread evaluate`: how well a pack reads samples whose labels are known."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firstread.cli.evaluated import as_comparison, as_subgroups, as_table
from firstread.cli.precision import precision
from firstread.cli.progress import progress

if TYPE_CHECKING:
    from firstread.datasets import Dataset
    from firstread.evaluation import Evaluation
    from firstread.evaluation.parts import Subgroup
    from firstread.evaluation.report import Compared
    from firstread.packs import Precision

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("pack")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="All figures as one JSON object.")
@click.option(
    "--against",
    default="",
    metavar="PACK",
    help="Have a second pack read the same samples, and compare the two.",
)
@click.option(
    "--by",
    "columns",
    multiple=True,
    metavar="COLUMN",
    help="Part the samples by a column of labels.csv, by label, or by size; may be repeated.",
)
@click.option(
    "--report", type=_FILE, help="Write one HTML page with charts and the worst mistakes."
)
@click.option(
    "--plot",
    "picture",
    type=_FILE,
    help="Draw the confusion matrix and the reliability to this SVG, PNG or PDF file.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    help="How many samples are read at once.",
)
@precision
@click.pass_context
def evaluate(
    ctx: click.Context,
    pack: str,
    folder: Path,
    *,
    as_json: bool,
    against: str,
    columns: tuple[str, ...],
    report: Path | None,
    picture: Path | None,
    threads: int,
    precision: Precision,
) -> None:
    """Measure PACK, a name or a folder, on the labelled samples in FOLDER.

    FOLDER holds images.zip and labels.csv, or measurements.csv, or one folder of images per label.
    Exit code 1 where a sample could not be read.
    """
    _refuse_no_place(picture, report)
    from firstread.datasets import open_dataset

    dataset = open_dataset(folder)
    found = _measured(pack, dataset, threads=threads, precision=precision)
    parts = {by: _parted(found, by=by, dataset=dataset) for by in columns}
    compared = None
    if against:
        other = _measured(against, dataset, threads=threads, precision="float")
        compared = _compared(found, other)
    if picture is not None:
        from firstread.evaluation.plots import plot

        title = f"{found.pack} {found.version} on {found.dataset}, n = {found.n}"
        plot(found.truths, found.chances, labels=found.answers.codes, title=title, path=picture)
    if report is not None:
        from firstread.evaluation.report import write_report

        write_report(report, found, dataset=dataset, subgroups=parts, compared=compared)
    say = _say_json if as_json else _say
    say(found, parts=parts, compared=compared)
    for each in found.unreadable:
        click.echo(f"firstread: {each['path']}: {each['error']}", err=True)
    ctx.exit(1 if found.unreadable else 0)


def _refuse_no_place(picture: Path | None, report: Path | None) -> None:
    """Before the work: what cannot be written at its end."""
    if picture is not None:
        import matplotlib as mpl  # noqa: F401  so that a missing extra costs no time

        if picture.suffix.lower() not in (".svg", ".png", ".pdf"):
            raise click.BadParameter("the file must end in .svg, .png or .pdf", param_hint="--plot")
    for path, option in ((picture, "--plot"), (report, "--report")):
        if path is not None and not path.absolute().parent.is_dir():
            raise click.BadParameter(f"there is no folder {path.parent}", param_hint=option)


def _measured(pack: str, dataset: Dataset, *, threads: int, precision: Precision) -> Evaluation:
    from firstread.evaluation import evaluate as measure
    from firstread.packs import find_pack
    from firstread.runtime import open_reader

    reader = open_reader(find_pack(pack), precision=precision)
    with progress("Reading", total=len(dataset.items), shown=sys.stderr.isatty()) as step:
        return measure(reader, dataset, threads=threads, step=step)


def _parted(found: Evaluation, *, by: str, dataset: Dataset) -> tuple[Subgroup, ...]:
    from firstread.evaluation.parts import by_column

    return by_column(found.answers, by=by, dataset=dataset)


def _compared(found: Evaluation, other: Evaluation) -> Compared:
    from firstread.evaluation.compare import compare
    from firstread.evaluation.report import Compared

    names = [f"{each.pack} {each.version}" for each in (found, other)]
    if names[0] == names[1]:
        names = [
            f"{name} ({place})" for name, place in zip(names, ("first", "second"), strict=True)
        ]
    return Compared(
        first=names[0], second=names[1], comparison=compare(found.answers, other.answers)
    )


_Parts = Mapping[str, tuple["Subgroup", ...]]


def _say_json(found: Evaluation, *, parts: _Parts, compared: Compared | None) -> None:
    from firstread.evaluation import as_plain
    from firstread.evaluation.plain import comparison_as_plain, subgroups_as_plain

    told: dict[str, Any] = as_plain(found)
    if parts:
        told["subgroups"] = {by: subgroups_as_plain(each) for by, each in parts.items()}
    if compared is not None:
        told["against"] = comparison_as_plain(
            compared.comparison, first=compared.first, second=compared.second
        )
    click.echo(json.dumps(told))


def _say(found: Evaluation, *, parts: _Parts, compared: Compared | None) -> None:
    click.echo(as_table(found))
    for values in parts.values():
        click.echo(as_subgroups(values))
    if compared is not None:
        click.echo(as_comparison(compared.comparison, first=compared.first, second=compared.second))
