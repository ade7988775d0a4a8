"""Labelled samples, opened for a command, which says what of their tables had to be supposed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from firstread.cli.print_answers import printable

if TYPE_CHECKING:
    from firstread.datasets import Dataset


def open_labelled(folder: Path) -> Dataset:
    """The samples; what was not read of their tables is said on the error output."""
    from firstread.datasets import open_dataset

    dataset = open_dataset(folder)
    for told in dataset.told:
        click.echo(printable(f"firstread: {told}"), err=True)
    return dataset
