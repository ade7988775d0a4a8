"""`firstread token PERSON`: makes a token for a program; `list` and `revoke` look after them."""

from __future__ import annotations

import json
from typing import Any

import click

from firstread.domain.errors import BadConfiguration


class _ByPerson(click.Group):
    """A group whose first word may be a person, for whom a token is then issued."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            args = ["issue", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_ByPerson)
def token() -> None:
    """Make a token for the API: firstread token PERSON [--scope ...] [--days N] [--name NAME]."""


@token.command()
@click.argument("person")
@click.option("--scope", "scopes", multiple=True, help="What it is good for; may be repeated.")
@click.option("--days", type=int, default=365, show_default=True, help="How long it lives.")
@click.option("--name", default="", help="Which program has it, such as 'scanner 2'.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def issue(*, person: str, scopes: tuple[str, ...], days: int, name: str, as_json: bool) -> None:
    """Print a new token of PERSON once; it may do what they may, as far as its scopes go.

    Scopes: cases:read, cases:write, reviews:write, checks:read. Without --scope all but
    reviews:write.
    """
    _open()
    from firstread.clinic.accounts import tokens
    from firstread.clinic.models import Person

    found = Person.objects.filter(username=person, is_active=True).first()
    if found is None:
        raise BadConfiguration(
            f"Nobody named '{person}' can sign in here. Add them: firstread person NAME"
        )
    secret, row = tokens.issue(found, scopes=scopes or tokens.DEFAULT_SCOPES, name=name, days=days)
    if as_json:
        click.echo(json.dumps({"number": row.pk, "token": secret, "scopes": row.scopes}))
        return
    click.echo(secret)
    click.echo(
        f"Token {row.pk} of {person} for {', '.join(row.scopes)}, {days} days. "
        "It is shown this once; keep it where passwords are kept.",
        err=True,
    )


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_tokens(*, as_json: bool) -> None:
    """List the tokens, the living ones and those that ended."""
    _open()
    from firstread.clinic.models import ApiToken

    for row in ApiToken.objects.select_related("person").order_by("pk"):
        shown = _shown(row)
        click.echo(
            json.dumps(shown)
            if as_json
            else "{number:>4}  {person:<16} {state:<8} {scopes}  {name}".format(
                **{**shown, "scopes": ",".join(shown["scopes"])}
            ).rstrip()
        )


@token.command()
@click.argument("number", type=int)
def revoke(*, number: int) -> None:
    """End the token of that NUMBER at once."""
    _open()
    from firstread.clinic.accounts import tokens
    from firstread.clinic.models import ApiToken

    row = ApiToken.objects.select_related("person").filter(pk=number).first()
    if row is None:
        raise BadConfiguration(f"There is no token {number}. Look at 'firstread token list'.")
    click.echo(
        f"Token {number} is revoked." if tokens.revoke(row) else f"Token {number} had ended before."
    )


def _open() -> None:
    from firstread.server.start import open_database, open_django

    open_django()
    open_database()


def _shown(row: Any) -> dict[str, Any]:
    from django.utils import timezone

    state = "living"
    if row.revoked_at:
        state = "revoked"
    elif row.expires_at and row.expires_at <= timezone.now():
        state = "expired"
    return {
        "number": row.pk,
        "person": row.person.username,
        "name": row.name,
        "scopes": row.scopes,
        "state": state,
        "expires_at": row.expires_at and row.expires_at.isoformat(),
        "last_used_at": row.last_used_at and row.last_used_at.isoformat(),
    }
