"""`firstread audit verify`: does the audit trail add up?"""

from __future__ import annotations

import json

import click


@click.group()
def audit() -> None:
    """Check the audit trail."""


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(*, as_json: bool) -> None:
    """Follow the whole trail, and say which row was changed, removed or put in.

    Exit code 0: it adds up; 1: it does not.
    """
    from firstread.domain.errors import AuditBroken
    from firstread.server.start import open_as_it_is, open_django

    open_django()
    open_as_it_is()
    from firstread.clinic import audit as trail

    try:
        verified = trail.verify()
    except AuditBroken as error:
        if not as_json:
            raise
        click.echo(json.dumps({"whole": False, "reason": str(error)}))
        raise click.exceptions.Exit(error.exit_code) from None
    if as_json:
        click.echo(json.dumps({"whole": True, "rows": verified.rows}))
    else:
        click.echo(f"The audit trail adds up: {verified.rows} rows.")
