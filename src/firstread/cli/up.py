"""`firstread up`: pages, worker and folder door in one command."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("--host", help="Where to listen; overrides server.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Overrides server.port.")
def up(*, host: str | None, port: int | None) -> None:
    """Serve the pages, read what comes in, deliver mail, watch the folder.

    Settings come from firstread.toml and from the environment; see docs/configuration.md.
    """
    if host is not None:
        os.environ["FIRSTREAD_HOST"] = host
    if port is not None:
        os.environ["FIRSTREAD_PORT"] = str(port)
    from firstread.server.start import open_database, open_django

    open_django()
    from django.conf import settings

    from firstread.clinic.models import Person
    from firstread.clinic.outbox.restored import why_held
    from firstread.server.serving import listen, serve

    listening = listen()
    open_database()

    if held := why_held():
        click.echo(held)
    click.echo(f"Data: {settings.FIRSTREAD.home}")
    if not Person.objects.exists():
        click.echo("Nobody can sign in yet. Make the first operator: firstread person NAME")
    serve(listening, say=click.echo)
