"""`firstread packs install` and `pack`: a pack travels in one file, and arrives whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Self

import click

from firstread.cli.packs_import import (
    asked_of,
    dataset_of,
    import_options,
    refuse_without_extra,
    show_import,
    wanted_of,
)


@click.command()
@click.argument("source", metavar="ADDRESS|FILE")
@click.option("--sha256", help="The hash of what the address gives; nothing is opened without it.")
@import_options
def install(source: str, *, sha256: str | None, **options: Any) -> None:
    """Fetch a pack, or a model with a recipe, from an address or a file, and put it on a shelf.

    What breaks off is gone on with, also by the next run. The hash is compared before anything is
    opened. A model file becomes a pack as `firstread packs import` makes one.
    """
    refuse_without_extra("packs install")
    from firstread.importing.install import install as run

    with _Watching(shown=sys.stderr.isatty()) as told:
        made = run(
            source,
            sha256=sha256,
            asked=asked_of(options),
            wanted=wanted_of(options, dataset=dataset_of(options), step=lambda: None),
            told=told,
        )
    show_import(made, as_json=options["as_json"])


@click.command()
@click.argument("pack")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The zip file that is written; else NAME-VERSION.zip.",
)
def pack(pack: str, *, out: Path | None) -> None:
    """Put PACK into one file that `firstread packs install` takes, and print its SHA-256."""
    import hashlib

    from firstread.packs import find_pack, open_manifest
    from firstread.packs.packed import pack_into

    folder = find_pack(pack)
    manifest = open_manifest(folder)
    file = pack_into(folder, out or Path(f"{manifest.name}-{manifest.version}.zip"))
    click.echo(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}")


class _Watching:
    """A bar of what has arrived, where a person watches."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._shown:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

            columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Progress("Fetching", *columns, console=Console(stderr=True))
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, have: int, of: int | None) -> None:
        if self._bar is None:
            return
        if self._task is None:
            self._task = self._bar.add_task("Fetching", total=of)
        self._bar.update(self._task, completed=have, total=of)
