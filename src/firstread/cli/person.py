"""`firstread person NAME`: adds somebody who signs in, such as the first operator."""

from __future__ import annotations

import sys

import click

ROLES = ("technician", "specialist", "chief", "operator")


@click.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), default="operator", show_default=True, help="What they do."
)
@click.option("--email", default="", help="Where they are told of cases.")
@click.option("--reads", "checks", multiple=True, help="A check that they read; may be repeated.")
def person(name: str, *, role: str, email: str, checks: tuple[str, ...]) -> None:
    """Add NAME, who then signs in; asks for the password, or reads it from a pipe.

    The first operator is made here; everybody else can be added on the people page.
    """
    from firstread.server.start import open_database, open_django

    password = (
        click.prompt("Password", hide_input=True, confirmation_prompt=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\n")
    )
    open_django()
    open_database()
    from firstread.clinic.accounts.people import add_person

    add_person(name, password=password, role=role, email=email, checks=checks, by=None)
    click.echo(f"{name} can sign in.")
