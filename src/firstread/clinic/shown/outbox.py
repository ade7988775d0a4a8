"""What leaves, as the outbox page, a case's page and the command line show it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from firstread.clinic.models import Case, Outgoing, OutgoingState, Person
from firstread.clinic.outbox.resend import MAY_GO_AGAIN
from firstread.clinic.outbox.write import sends
from firstread.connect.channels import CHANNELS, words_of

A_PAGE = 30
COUNTED = (OutgoingState.WAITING, OutgoingState.GIVEN_UP)
"""The states whose rows are counted: they are few, and somebody should look at them."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One row of the outbox."""

    number: int
    channel: str
    channel_title: str
    what: str
    text: str
    to: str
    """The person, or the place that the address names."""
    to_person: bool
    address: str
    state: str
    state_title: str
    attempts: int
    last_error: str
    created_at: datetime
    next_try_at: datetime | None
    case_id: uuid.UUID | None
    may_go_again: bool


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One choice of what the page lists."""

    title: str
    state: str
    channel: str
    here: bool
    count: int | None = None
    """None where nobody counts."""


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """One page of the outbox as this person may see it, newest first."""

    messages: tuple[Message, ...]
    states: tuple[Filter, ...]
    channels: tuple[Filter, ...]
    everybody: bool
    """Whether it holds everybody's, or this person's own alone."""
    kept_because: tuple[str, ...]
    """Why what some channels have stays here."""
    older_than: int | None
    """The number below which the next page begins; None where this is the last."""
    newest: bool
    """Whether this is the first page."""


def outbox_of(
    person: Person, *, state: str = "", channel: str = "", before: int | None = None
) -> Outbox:
    """The outbox as this person may see it, of one state where there is such.

    An operator may narrow it to one channel; what leaves for a person leaves by mail.
    """
    mine = _seen_by(person)
    state = state if state in OutgoingState.values else ""
    channel = channel if person.operates and channel in CHANNELS else ""
    listed = _narrowed(mine, state=state, channel=channel)
    if before is not None:
        listed = listed.filter(pk__lt=before)
    rows = list(listed.select_related("to").order_by("-pk")[: A_PAGE + 1])
    return Outbox(
        messages=tuple(message_of(row, by=person) for row in rows[:A_PAGE]),
        states=_states(mine, state=state, channel=channel),
        channels=_channels(state=state, channel=channel) if person.operates else (),
        everybody=person.operates,
        kept_because=tuple(
            each.words.kept
            for each in CHANNELS.values()
            if each.words.kept and not sends(each.name)
        ),
        older_than=rows[A_PAGE - 1].pk if len(rows) > A_PAGE else None,
        newest=before is None,
    )


def messages_about(case: Case, *, by: Person) -> tuple[Message, ...]:
    """Everything that left or is to leave about a case, newest first."""
    rows = case.outgoing.select_related("to").order_by("-pk")
    return tuple(message_of(row, by=by) for row in rows)


def message_of(row: Outgoing, *, by: Person | None) -> Message:
    """The row in words; `by` is nobody on the command line."""
    words = words_of(row.channel)
    return Message(
        number=row.pk,
        channel=row.channel,
        channel_title=words.title,
        what=words.what(row.payload),
        text=words.text(row.payload),
        to=row.to.get_full_name() or row.to.username if row.to else words.place(row.address),
        to_person=row.to is not None,
        address=row.address,
        state=row.state,
        state_title=OutgoingState(row.state).label,
        attempts=row.attempts,
        last_error=row.last_error,
        created_at=row.created_at,
        next_try_at=row.retry_at if row.state == OutgoingState.WAITING else None,
        case_id=row.case_id,
        may_go_again=row.state in MAY_GO_AGAIN
        and (by is None or by.operates)
        and row.channel in CHANNELS
        and sends(row.channel),
    )


def _seen_by(person: Person) -> QuerySet[Outgoing]:
    rows = Outgoing.objects.all()
    return rows if person.operates else rows.filter(to=person)


def _narrowed(rows: QuerySet[Outgoing], *, state: str, channel: str) -> QuerySet[Outgoing]:
    if state:
        rows = rows.filter(state=state)
    return rows.filter(channel=channel) if channel else rows


def _states(rows: QuerySet[Outgoing], *, state: str, channel: str) -> tuple[Filter, ...]:
    choices: Iterable[tuple[str, str]] = [("", "All"), *OutgoingState.choices]
    return tuple(
        Filter(
            title=title,
            state=value,
            channel=channel,
            here=value == state,
            count=_narrowed(rows, state=value, channel=channel).count()
            if value in COUNTED
            else None,
        )
        for value, title in choices
    )


def _channels(*, state: str, channel: str) -> tuple[Filter, ...]:
    choices = [("", "Every channel")]
    choices += [(each.name, each.words.title) for each in CHANNELS.values()]
    return tuple(
        Filter(title=title, state=state, channel=value, here=value == channel)
        for value, title in choices
    )
