"""`firstread doctor`: checks the whole installation."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one a part.")
def doctor(*, as_json: bool) -> None:
    """Look at database, packs, store, mail, inbox and the rest, and say what to do.

    Exit code 0: all is well; 1: something needs you; 2: the settings are wrong.
    """
    from firstread.server.start import open_django, unapplied_migrations, unknown_migrations

    open_django()
    from firstread.clinic.doctor import inspect

    found = inspect(migrations_behind=unapplied_migrations, migrations_unknown=unknown_migrations)
    for each in found:
        if as_json:
            told = {"part": each.part, "says": each.says, "trouble": each.trouble}
            click.echo(json.dumps(told | {"remedy": each.remedy}))
        elif each.trouble:
            click.echo(f"✗ {each.part}: {each.says} {each.remedy}")
        else:
            click.echo(f"✓ {each.part}: {each.says}")
    if any(each.trouble for each in found):
        raise click.exceptions.Exit(1)
