"""`firstread worker`: reads and delivers without pages, on any machine beside the database."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    help="How many cases are read at once; overrides server.workers.",
)
def worker(*, threads: int | None) -> None:
    """Read what comes in and deliver mail, without pages.

    Run as many as you like over one PostgreSQL.
    """
    from firstread.server.start import open_database, open_django

    open_django()
    open_database()
    from django.conf import settings

    from firstread.clinic.outbox.restored import why_held
    from firstread.server.serving import work

    if held := why_held():
        click.echo(held)

    work(click.echo, threads=threads or max(1, settings.FIRSTREAD.server.workers))
