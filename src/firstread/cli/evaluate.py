"""`firstread evaluate`: how well a pack reads samples whose labels are known."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firstread.cli.options import precision
from firstread.cli.print_answers import printable
from firstread.cli.print_figures import as_text
from firstread.cli.running import progress

if TYPE_CHECKING:
    from firstread.datasets import Dataset
    from firstread.evaluation import Evaluation
    from firstread.evaluation.further_figures import Compared
    from firstread.evaluation.strangers import Refusals
    from firstread.evaluation.strangers_read import Foreign
    from firstread.packs import Precision
    from firstread.runtime import PackReader

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
    "--familiarity-against",
    "strangers",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="How well familiarity tells samples of another set from these; may be repeated.",
)
@click.option(
    "--spoil",
    is_flag=True,
    help="How often samples are flagged when they are blurred, darkened, recoloured, ...",
)
@click.option(
    "--report", type=_FILE, help="Write one HTML page with charts and the worst mistakes."
)
@click.option(
    "--plot",
    "picture",
    type=_FILE,
    help="Draw the confusion matrix and the reliability to this SVG file.",
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
    strangers: tuple[Path, ...],
    spoil: bool,
    report: Path | None,
    picture: Path | None,
    threads: int,
    precision: Precision,
) -> None:
    """Measure PACK, a name or a folder, on the labelled samples in FOLDER.

    FOLDER is a folder, a zip, a .npz or a .csv, in any form that train takes; annotated WFDB
    records are measured beat by beat. Exit code 1 where a sample could not be read.
    """
    _refuse_no_place(picture, report)
    from firstread.cli.labelled import open_labelled
    from firstread.datasets import measured_as
    from firstread.evaluation.further_figures import More
    from firstread.evaluation.plain import whole_as_plain
    from firstread.evaluation.report.write import write_picture, write_report
    from firstread.evaluation.subgroups import by_column

    # All that is named is opened before the first read: a slip of the pen must not cost the work.
    dataset, foreign = open_labelled(folder), [open_labelled(each) for each in strangers]
    reader = _opened(pack, precision)
    other = _opened(against) if against else None
    _refuse_what_cannot_be(reader, dataset, columns=columns, foreign=foreign, spoil=spoil)
    named = measured_as(dataset, reader.manifest)
    found = _measured(reader, dataset, threads=threads)
    more = More(
        subgroups={by: by_column(found.answers, by=by, dataset=dataset) for by in columns},
        compared=_compared(found, _measured(other, dataset, threads=threads)) if other else None,
        foreign=_told_apart(reader, found, foreign, threads=threads),
        spoiled=_spoiled(reader, found, dataset) if spoil else (),
    )
    if picture is not None:
        write_picture(picture, found)
    if report is not None:
        write_report(report, found, dataset=dataset, more=more)
    click.echo(json.dumps(whole_as_plain(found, more)) if as_json else as_text(found, more))
    for line in _left_out(found, dataset, named.told[len(dataset.told) :]):
        click.echo(printable(f"firstread: {line}"), err=True)
    ctx.exit(1 if found.unreadable else 0)


def _left_out(found: Evaluation, dataset: Dataset, told: Sequence[str]) -> Iterator[str]:
    """What lies there and is in no figure."""
    for each in found.unreadable:
        yield f"{each['path']}: {each['error']}"
    yield from told
    if dataset.unlabelled:
        count, first = len(dataset.unlabelled), dataset.unlabelled[0]
        yield f"{count} without a label are left out, the first is {first}."


def _refuse_what_cannot_be(
    reader: PackReader,
    dataset: Dataset,
    *,
    columns: Sequence[str],
    foreign: Sequence[Dataset],
    spoil: bool,
) -> None:
    """Before the work: what would be refused at its end."""
    from firstread.evaluation.strangers_read import refuse_no_pictures, refuse_other_kind
    from firstread.evaluation.subgroups import refuse_unknown_column

    for column in columns:
        refuse_unknown_column(dataset, by=column)
    for each in foreign:
        refuse_other_kind(reader, each)
    if spoil:
        refuse_no_pictures(dataset)


def _refuse_no_place(picture: Path | None, report: Path | None) -> None:
    """Before the work: what cannot be written at its end."""
    if picture is not None and picture.suffix.lower() != ".svg":
        raise click.BadParameter("the file must end in .svg", param_hint="--plot")
    for path, option in ((picture, "--plot"), (report, "--report")):
        if path is not None and not path.absolute().parent.is_dir():
            raise click.BadParameter(f"there is no folder {path.parent}", param_hint=option)


def _opened(pack: str, precision: Precision = "float") -> PackReader:
    from firstread.packs import find_pack
    from firstread.runtime import open_reader

    return open_reader(find_pack(pack), precision=precision)


def _measured(reader: PackReader, dataset: Dataset, *, threads: int) -> Evaluation:
    from firstread.evaluation import evaluate as measure

    with progress("Reading", total=len(dataset.items), shown=sys.stderr.isatty()) as step:
        return measure(reader, dataset, threads=threads, step=step)


def _told_apart(
    reader: PackReader, found: Evaluation, foreign: Sequence[Dataset], *, threads: int
) -> tuple[Foreign, ...]:
    from firstread.evaluation.strangers_read import AT_MOST, against

    told = []
    for each in foreign:
        total = min(AT_MOST, len(each.items))
        with progress(f"Reading {each.name}", total=total, shown=sys.stderr.isatty()) as step:
            told.append(against(reader, found.answers, each, threads=threads, step=step))
    return tuple(told)


def _spoiled(reader: PackReader, found: Evaluation, dataset: Dataset) -> tuple[Refusals, ...]:
    from firstread.evaluation.strangers import SPOILINGS
    from firstread.evaluation.strangers_read import SPOILED, when_spoiled

    total = min(SPOILED, found.n) * len(SPOILINGS)
    with progress("Spoiling", total=total, shown=sys.stderr.isatty()) as step:
        return when_spoiled(reader, found.answers, dataset, step=step)


def _compared(found: Evaluation, other: Evaluation) -> Compared:
    from firstread.evaluation.compare import compare
    from firstread.evaluation.further_figures import Compared

    names = [f"{each.pack} {each.version}" for each in (found, other)]
    if names[0] == names[1]:
        names = [
            f"{name} ({place})" for name, place in zip(names, ("first", "second"), strict=True)
        ]
    return Compared(
        first=names[0], second=names[1], comparison=compare(found.answers, other.answers)
    )
