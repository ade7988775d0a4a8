"""`firstread restore`: a backup becomes a site again."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firstread.cli.running import progress
from firstread.domain.errors import WrongState

if TYPE_CHECKING:
    from firstread.clinic.keeping.copies import Copy
    from firstread.clinic.keeping.restore import Brought


@click.command()
@click.argument("src", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--without-key",
    is_flag=True,
    help="The key is lost: go on with another. The audit trail until then cannot be verified.",
)
def restore(*, src: Path, without_key: bool) -> None:
    """Bring the newest copy in SRC, or the copy SRC itself, into an empty home and database.

    Every byte is held against its hash. Nothing leaves the site until 'firstread outbox release'.
    Killed, it goes on when it is called again.
    """
    from firstread.clinic.keeping import copies
    from firstread.packs.home import home_folder
    from firstread.server.start import RESTORING, open_database, open_django

    copy = copies.find(src.absolute())
    home = home_folder()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _have_keys(copy, home=home)
    again = (home / RESTORING).is_file() and (home / RESTORING).read_text() == copy.name
    laid = _have_settings(copy, home=home)
    try:
        open_django()
        from firstread.clinic.keeping import restore as step

        step.refuse(copy, again=again, any_key=without_key)
    except Exception:
        if laid:
            laid.unlink()
        raise
    (home / RESTORING).write_text(copy.name)
    files = copy.told["samples"]["files"]
    with progress("Bringing back samples", total=files, shown=sys.stderr.isatty()) as steps:
        brought = step.bring_back(copy, after_each=steps)
    if without_key:
        _go_on_without_key()
    open_database(restoring=True)
    step.quieten(copy, brought)
    (home / RESTORING).unlink()
    _tell(copy, brought, any_key=without_key)


def _have_keys(copy: Copy, *, home: Path) -> None:
    """Take the keys that the backup holds, unless there are any here."""
    from firstread.files.key_file import keep_keys, keys_in

    names = ("secret-key", "audit-key")
    if os.environ.get("FIRSTREAD_SECRET_KEY") or os.environ.get("FIRSTREAD_SECRET_KEY_FILE"):
        return
    if any((home / name).exists() for name in names):
        return
    for name in names:
        if keys := keys_in(copy.folder / name):
            keep_keys(home / name, keys)


def _go_on_without_key() -> None:
    """As 'firstread keys lost' does, where the database may be of an older version."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction

    from firstread.clinic import audit
    from firstread.server.start import keep_first_key

    call_command("migrate", verbosity=0, interactive=False)
    with transaction.atomic():
        with suppress(WrongState):  # the key is here after all
            audit.go_on_without_key()
        if settings.FIRSTREAD.keys.new:
            keep_first_key()


def _have_settings(copy: Copy, *, home: Path) -> Path | None:
    """Lay the site's settings into the home folder, unless there are any; where, if so."""
    from firstread.server.config import settings_file

    kept = copy.folder / "firstread.toml"
    if not kept.is_file() or settings_file(os.environ, home=home) is not None:
        return None
    place = home / "firstread.toml"
    shutil.copyfile(kept, place)
    return place


def _tell(copy: Copy, brought: Brought, *, any_key: bool) -> None:
    from firstread.clinic import audit
    from firstread.clinic.outbox.restored import why_held
    from firstread.domain.errors import AuditBroken

    told = copy.told
    click.echo(
        f"{copy.name} is restored: {told['rows']['case']:,} cases, {brought.samples:,} samples, "
        "each as its hash says."
    )
    if brought.packs:
        click.echo(f"Packs brought back: {', '.join(brought.packs)}")
    broken = ""
    try:
        click.echo(f"The audit trail adds up: {audit.verify().rows:,} rows.")
    except AuditBroken as error:
        broken = str(error)
        click.echo(broken, err=True)
    click.echo(why_held(), err=True)
    if brought.held:
        click.echo(
            f"{brought.held} messages may have left after the copy was made. They are kept as "
            "given up: firstread outbox list --state given_up",
            err=True,
        )
    if brought.erased:
        click.echo(f"{brought.erased} cases were erased after the copy was made, and now again.")
    here = {name for name in os.environ if name.startswith("FIRSTREAD_")}
    if lacks := sorted(set(told["environment"]) - here):
        click.echo(f"The site ran with {', '.join(lacks)}: set them here, too.", err=True)
    if brought.lost:
        click.echo(
            f"{len(brought.lost)} samples are not in the backup: 'firstread store verify' names "
            "them.",
            err=True,
        )
    if brought.lost or (broken and not any_key):
        raise click.exceptions.Exit(1)
