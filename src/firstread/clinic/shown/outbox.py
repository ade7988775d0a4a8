"""What leaves, as the outbox page, a case's page and the command line show it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from firstread.clinic.models import Case, Outgoing, OutgoingState, Person, Resting
from firstread.clinic.outbox.resend import may_go_again
from firstread.clinic.outbox.resting import rests_of
from firstread.clinic.outbox.restored import why_held
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
    undelivered: bool
    """Whether it was tried, or could not be, and has not arrived."""
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
        messages=messages_of(rows[:A_PAGE], by=person),
        states=_states(mine, state=state, channel=channel),
        channels=_channels(state=state, channel=channel) if person.operates else (),
        everybody=person.operates,
        kept_because=_kept_because(),
        older_than=rows[A_PAGE - 1].pk if len(rows) > A_PAGE else None,
        newest=before is None,
    )


def _kept_because() -> tuple[str, ...]:
    kept = [each.words.kept for each in CHANNELS.values() if not sends(each.name)]
    return tuple(sentence for sentence in [why_held(), *kept] if sentence)


def messages_about(case: Case, *, by: Person) -> tuple[Message, ...]:
    """Everything that left or is to leave about a case, newest first."""
    return messages_of(case.outgoing.select_related("to").order_by("-pk"), by=by)


def messages_of(rows: Iterable[Outgoing], *, by: Person | None) -> tuple[Message, ...]:
    """The rows in words; `by` is nobody on the command line."""
    listed = list(rows)
    rests = rests_of(listed)
    return tuple(_message(row, by=by, rest=rests.get(row.pk)) for row in listed)


def _message(row: Outgoing, *, by: Person | None, rest: Resting | None) -> Message:
    words = words_of(row.channel)
    payload = row.payload if isinstance(row.payload, dict) else {}
    waits = row.state == OutgoingState.WAITING
    tries = [at for at in (row.retry_at, rest and rest.until) if at]
    return Message(
        number=row.pk,
        channel=row.channel,
        channel_title=words.title,
        what=words.what(payload),
        text=words.text(payload),
        to=row.to.get_full_name() or row.to.username if row.to else words.place(row.address),
        to_person=row.to is not None,
        address=row.address,
        state=row.state,
        state_title=OutgoingState(row.state).label,
        attempts=row.attempts,
        last_error=row.last_error or (rest.last_error if rest else ""),
        created_at=row.created_at,
        next_try_at=max(tries, default=None) if waits else None,
        undelivered=row.state == OutgoingState.GIVEN_UP or (waits and bool(row.last_error or rest)),
        case_id=row.case_id,
        may_go_again=(by is None or by.operates) and may_go_again(row),
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
