"""`firstread datasets write`: labelled samples of any form become a folder that says where each
came from."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firstread.datasets import Dataset
    from firstread.datasets.dataset import Part
    from firstread.datasets.sample import Sample

_SHARE = click.FloatRange(min=0, max=0.9)


@click.command()
@click.argument("samples", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--licence", default="", help="Under which licence the samples may be used.")
@click.option("--source", default="", help="Where they come from; else the name of SAMPLES.")
@click.option("--validation", type=_SHARE, default=0.0, help="Share to part off for validation.")
@click.option("--test", type=_SHARE, default=0.0, help="Share to part off for the test.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the parts that are drawn.")
def write(
    samples: Path,
    folder: Path,
    *,
    licence: str,
    source: str,
    validation: float,
    test: float,
    seed: int,
) -> None:
    """Write the labelled SAMPLES, in any form that train takes, into a new FOLDER.

    It has the same samples, labels, patients and parts, and says of each where it came from and
    its hash. With --validation or --test it is parted by patient, once and for all. It appears
    whole, or not at all.
    """
    from firstread.cli.labelled import open_labelled
    from firstread.cli.running import progress
    from firstread.datasets.write import samples_of, write_dataset

    dataset = open_labelled(samples)
    parts = _drawn(dataset, validation=validation, test=test, seed=seed)
    with progress("Writing", total=len(dataset.items), shown=sys.stderr.isatty()) as step:

        def counted() -> Iterator[Sample]:
            for sample in samples_of(dataset, parts=parts, source=source or dataset.name):
                yield sample
                step()

        n = write_dataset(
            counted(),
            to=folder,
            kind=dataset.kind,
            licence=licence,
            source=source or dataset.name,
            remark=dataset.remark,
        )
    patients = len({item.patient for item in dataset.items} - {""})
    given = Counter(parts.get(at, item.part) for at, item in enumerate(dataset.items))
    told = "".join(f", {part or 'in no part'} {given[part]:,}" for part in sorted(given))
    click.echo(f"{folder}: {n:,} samples ({dataset.kind}), {patients:,} patients{told}")
    if dataset.unlabelled:
        click.echo(
            f"{len(dataset.unlabelled):,} without a label were left out, the first of them "
            f"{dataset.unlabelled[0]!r}.",
            err=True,
        )


def _drawn(dataset: Dataset, *, validation: float, test: float, seed: int) -> dict[int, Part]:
    """The parts by the number of the item; none where the samples are not to be parted."""
    if not (validation or test):
        return {}
    from firstread.datasets import split

    found = split(dataset, validation=validation, test=test, seed=seed)
    drawn: dict[int, Part] = dict.fromkeys(found.train, "train")
    drawn |= dict.fromkeys(found.validation, "validation")
    return drawn | dict.fromkeys(found.test, "test")
