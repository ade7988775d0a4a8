"""`firstread outbox`: what leaves; `list` shows it, `resend` sends again what was given up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from firstread.domain.errors import BadConfiguration

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from firstread.clinic.models import Outgoing
    from firstread.clinic.shown.outbox import Message

_STATES = click.Choice(["waiting", "sent", "given_up", "kept"])


@click.group()
def outbox() -> None:
    """Look at what leaves, by mail and by other channels, and send it again."""


@outbox.command("list")
@click.option("--state", type=_STATES, help="Only what is in this state.")
@click.option("--channel", help="Only what leaves by this channel, such as mail or webhook.")
@click.option("--last", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_messages(*, state: str | None, channel: str | None, last: int, as_json: bool) -> None:
    """List what leaves, newest first."""
    _open()
    from firstread.clinic.shown.outbox import messages_of

    rows = _rows(state=state, channel=channel).select_related("to").order_by("-pk")[:last]
    for message in messages_of(rows, by=None):
        click.echo(_line(message, as_json=as_json))


@outbox.command()
@click.argument("numbers", type=int, nargs=-1)
@click.option("--given-up", is_flag=True, help="Everything that was given up.")
@click.option("--channel", help="With --given-up, only what leaves by this channel.")
def resend(*, numbers: tuple[int, ...], given_up: bool, channel: str | None) -> None:
    """Send again the messages of these NUMBERS, which were given up or kept."""
    if bool(numbers) == given_up:
        raise click.UsageError(
            "Give the numbers that 'firstread outbox list' shows, or --given-up."
        )
    _open()
    from firstread.clinic.outbox.resend import resend as step

    if given_up:
        rows = _rows(state="given_up", channel=channel).order_by("pk")
        numbers = tuple(rows.values_list("pk", flat=True))
    for number in numbers:
        step(number, by=None)
    many = "1 message leaves" if len(numbers) == 1 else f"{len(numbers)} messages leave"
    click.echo(f"{many} again.")


@outbox.command()
def release() -> None:
    """After a restore: the site before runs no more, and what waits may leave from here."""
    _open()
    from firstread.clinic.outbox.restored import release as step

    step(by=None)
    click.echo("What waits leaves now.")


def _open() -> None:
    from firstread.server.start import open_database, open_django

    open_django()
    open_database()


def _rows(*, state: str | None, channel: str | None) -> QuerySet[Outgoing]:
    from firstread.clinic.models import Outgoing
    from firstread.connect.channels import CHANNELS

    if channel is not None and channel not in CHANNELS:
        raise BadConfiguration(
            f"There is no channel '{channel}'. There are: {', '.join(CHANNELS)}."
        )
    rows = Outgoing.objects.all()
    if state is not None:
        rows = rows.filter(state=state)
    return rows if channel is None else rows.filter(channel=channel)


def _line(message: Message, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(
            {
                "number": message.number,
                "channel": message.channel,
                "to": message.to,
                "address": message.address,
                "what": message.what,
                "state": message.state,
                "attempts": message.attempts,
                "last_error": message.last_error,
                "created_at": message.created_at.isoformat(),
                "next_try_at": message.next_try_at and message.next_try_at.isoformat(),
                "case": message.case_id and str(message.case_id),
            }
        )
    said = f"  {message.last_error}" if message.last_error else ""
    at = f"{message.created_at:%Y-%m-%d %H:%M}"
    return (
        f"{message.number:>6}  {at}  {message.state:<8}  {message.channel:<8} "
        f"{message.to}: {message.what}{said}"
    )
