"""`firstread backup`: a copy of the whole site while it runs, and the check of the copies."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from firstread.cli.running import progress


@click.command()
@click.argument("dest", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    help="Afterwards delete all but so many of the newest copies there.",
)
@click.option(
    "--with-secret-key",
    is_flag=True,
    help="Put the secret key inside. Whoever has the copy can then forge the audit trail.",
)
@click.option("--verify", is_flag=True, help="Check every byte of the copies there; make none.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def backup(
    *, dest: Path, keep: int | None, with_secret_key: bool, verify: bool, as_json: bool
) -> None:
    """Copy database, samples, settings and packs to DEST, beside everything that runs.

    Each copy has a folder of its own; samples that an earlier one holds are not copied again.
    Exit code 0: the copy is whole; 1: it lacks something, or a copy is damaged.
    """
    if verify:
        if keep is not None or with_secret_key:
            raise click.UsageError(
                "--verify makes no copy: leave out --keep and --with-secret-key."
            )
        _verify(dest, as_json=as_json)
    else:
        _make(dest, keep=keep, with_key=with_secret_key, as_json=as_json)


def _make(dest: Path, *, keep: int | None, with_key: bool, as_json: bool) -> None:
    from firstread.packs.home import home_folder
    from firstread.server.config import settings_file
    from firstread.server.start import open_as_it_is, open_django

    open_django()
    open_as_it_is()
    from firstread.clinic.keeping.backup import back_up

    with progress("Copying samples", total=None, shown=sys.stderr.isatty()) as steps:
        made = back_up(
            dest.absolute(),
            settings_file=settings_file(os.environ, home=home_folder()),
            with_key=with_key,
            keep=keep,
            after_each=steps,
        )
    if as_json:
        told = {"copy": str(made.folder), "files": made.files, "size_bytes": made.size_bytes}
        more = {"fresh": made.fresh, "lacks": made.troubles, "gone": made.gone}
        click.echo(json.dumps(told | more))
    else:
        click.echo(
            f"{made.folder}: {made.files:,} samples ({made.size_bytes / 1e6:,.1f} MB), "
            f"{made.fresh:,} of them new."
        )
        if made.gone:
            click.echo(f"Deleted: {', '.join(made.gone)}")
        for trouble in made.troubles:
            click.echo(f"It lacks: {trouble}", err=True)
        click.echo(
            "The secret key is inside: whoever reads this copy can forge the audit trail. Guard it."
            if with_key
            else "The secret key is not inside: keep it apart, for without it the audit trail "
            "cannot be verified.",
            err=True,
        )
    if made.troubles:
        raise click.exceptions.Exit(1)


def _verify(dest: Path, *, as_json: bool) -> None:
    from firstread.clinic.keeping import copies

    there = [copies.find(dest)] if (dest / copies.MANIFEST).is_file() else copies.copies_in(dest)
    if not there:
        copies.find(dest)  # says so
    troubles = []
    for copy in there:
        files = copy.told["samples"]["files"]
        with progress(copy.name, total=files, shown=sys.stderr.isatty()) as steps:
            found = copies.troubles_of(copy, after_each=steps)
        troubles += found
        if not as_json:
            said = f"{len(found)} files are damaged or missing" if found else "whole"
            click.echo(
                f"{copy.name}: {copy.told['rows']['case']:,} cases, {files:,} samples, {said}."
            )
            for sentence in found:
                click.echo(f"  {sentence}")
    if as_json:
        names = [copy.name for copy in there]
        click.echo(json.dumps({"copies": names, "troubles": list(dict.fromkeys(troubles))}))
    if troubles:
        if not as_json:
            click.echo(
                "Delete what is damaged and back up again: what the store holds is copied anew."
            )
        raise click.exceptions.Exit(1)
