"""A channel: one way out of Firstread, in the shape that outbox, pages and doctor know it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from firstread.toml import Table

S = TypeVar("S", bound=Table)
Payload = Mapping[str, Any]
"""What a row of the outbox holds to be sent: what JSON can hold. Whoever reads of it what is not
there, for another version wrote it, says so in place of failing."""
ASKED_OFTEN_S = 30.0
"""`asked_again_within_s` of what cannot be reached at all."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What is to leave once, the same at each try."""

    key: str
    """Names it for good, so that the other side knows what it has had already."""
    address: str
    payload: Payload
    site: str
    """Under which address people reach this clinic."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What came of a try: no error, or a sentence and what it means for the next one."""

    error: str = ""
    permanent: bool = False
    """Trying again is of no use."""
    again_in_s: float = 0.0
    """How long the other side asks us to wait at least."""
    address_down: bool = False
    """Nothing else would arrive at this address now, so nothing else is tried there meanwhile."""
    channel_down: bool = False
    """Nothing would arrive anywhere by this channel now, such as by a mail server that is away."""
    asked_again_within_s: float = 3600.0
    """Where an address or a channel is down, how long it is left alone at most without being asked
    to: short where asking costs the other side nothing."""


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What a look at the other side found; it is trouble where there is a remedy."""

    says: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Words:
    """How pages tell of what a channel carries; `{to}` and `{what}` stand in the three lines."""

    title: str
    """Of the channel."""
    told: str
    """The line of a case's history when something arrived."""
    not_told: str
    not_yet: str = "could not tell {to} yet, and tries again"
    """The line when a first try failed."""
    kept: str = ""
    """Why what is written stays here, where nothing is sent."""
    what: Callable[[Payload], str]
    text: Callable[[Payload], str]
    """All of it, as the outbox page shows it."""
    place: Callable[[str], str] = str
    """How an address is named."""


def unknown_words(name: str) -> Words:
    """Of a channel that this version does not have."""
    return Words(
        title=name.capitalize(),
        told="told {to}",
        not_told="could not tell {to}",
        what=lambda _: f"A message by {name}, which this version does not know",
        text=str,
    )


def nowhere(_settings: Table) -> Sequence[str]:
    """Of a channel that hears of no events by itself."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Channel(Generic[S]):
    """One way out: its section of the configuration, and what is done with that."""

    name: str
    """Of the rows, and of the section."""
    settings: type[S]
    sends: Callable[[S], bool]
    """Whether what is written leaves; else it is kept, to be looked at."""
    hears: Callable[[S], Sequence[str]] = nowhere
    """The addresses to which each event of a case goes."""
    deliver: Callable[[Parcel, S], Delivery]
    """One try; never raises for what the other side or the network may do."""
    through_one_server: bool = False
    """Whether all addresses are reached through one server, at fault for all where it is."""
    probe: Callable[[S], Sequence[Probed]]
    """A look at the other side that leaves nothing there; empty where the channel is not in use."""
    words: Words
