"""`firstread evaluate`: how well a pack reads samples whose labels are known."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firstread.cli.precision import precision
from firstread.cli.progress import progress

if TYPE_CHECKING:
    from firstread.evaluation import Evaluation, Share
    from firstread.packs import Precision


@click.command()
@click.argument("pack")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="All figures as one JSON object.")
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
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
    picture: Path | None,
    threads: int,
    precision: Precision,
) -> None:
    """Measure PACK, a name or a folder, on the labelled samples in FOLDER.

    FOLDER holds images.zip and labels.csv, or measurements.csv, or one folder of images per label.
    Exit code 1 where a sample could not be read.
    """
    if picture is not None:
        import matplotlib as mpl  # noqa: F401  before the work, so that a missing extra costs no time

        if picture.suffix.lower() not in (".svg", ".png", ".pdf"):
            raise click.BadParameter("the file must end in .svg, .png or .pdf", param_hint="--plot")
        if not picture.absolute().parent.is_dir():
            raise click.BadParameter(f"there is no folder {picture.parent}", param_hint="--plot")
    from firstread.datasets import open_dataset
    from firstread.evaluation import as_plain
    from firstread.evaluation import evaluate as measure
    from firstread.packs import find_pack
    from firstread.runtime import open_reader

    reader = open_reader(find_pack(pack), precision=precision)
    dataset = open_dataset(folder)
    with progress("Reading", total=len(dataset.items), shown=sys.stderr.isatty()) as step:
        found = measure(reader, dataset, threads=threads, step=step)
    if picture is not None:
        from firstread.evaluation.plots import plot

        title = f"{found.pack} {found.version} on {found.dataset}, n = {found.n}"
        plot(found.truths, found.chances, labels=reader.manifest.codes, title=title, path=picture)
    click.echo(json.dumps(as_plain(found)) if as_json else _table(found))
    for each in found.unreadable:
        click.echo(f"firstread: {each['path']}: {each['error']}", err=True)
    ctx.exit(1 if found.unreadable else 0)


def _table(found: Evaluation) -> str:
    lines = [
        f"{found.pack} {found.version} on {found.dataset}, {found.n} samples",
        "",
        f"accuracy            {_share(found.accuracy)}",
        f"balanced accuracy   {found.balanced_accuracy:6.3f}",
        f"AUC, mean           {found.auc:6.3f}",
        f"F1, mean            {found.f1:6.3f}",
        f"calibration error   {found.ece:6.3f}",
        f"coverage            {_share(found.coverage)}, {found.mean_set_size:.2f} labels a set",
        f"unfamiliar          {found.unfamiliar} of {found.n}; unfit {found.unfit}",
        "",
    ]
    width = max(len(each.label) for each in found.labels)
    lines.append(f"{'label'.ljust(width)}     n  {'sensitivity':<22}{'specificity':<22}ppv")
    for each in found.labels:
        shares = (each.sensitivity, each.specificity, each.ppv)
        lines.append(
            f"{each.label.ljust(width)} {each.n:5d}  " + "".join(f"{_share(s):<22}" for s in shares)
        )
    lines += ["", "read as (columns) and truly (rows)"]
    for each, row in zip(found.labels, found.confusion, strict=True):
        lines.append(f"{each.label.ljust(width)} " + "".join(f"{cell:6d}" for cell in row))
    if found.unreadable:
        lines += ["", f"{len(found.unreadable)} samples could not be read"]
    return "\n".join(lines)


def _share(share: Share) -> str:
    if math.isnan(share.value):
        return "    -"
    return f"{share.value:6.3f} ({share.low:.3f}-{share.high:.3f})"
