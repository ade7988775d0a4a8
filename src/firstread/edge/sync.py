"""Sending what waits in the spool to the clinic: in order, each once, however often it is tried."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from firstread.client import Client, Submitted
from firstread.domain.errors import (
    BadConfiguration,
    ConflictingRequest,
    FirstreadError,
    NotAllowed,
    Unreachable,
    UnreadableSample,
)
from firstread.edge.clock import BootClock
from firstread.edge.entries import Entry
from firstread.edge.kinds import KINDS
from firstread.edge.spool import Spool
from firstread.edge.telling import told

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0
TOKEN_PAUSE_S = 300.0
"""A refused token is tried again: the operator may have put another in its place."""
POSTPONED_S = 30.0
LONGEST_POSTPONED_S = 3600.0
LOOKS_IN_EVERY_S = 300.0
"""How often the clinic is asked for the time where there is nothing to send."""
CONFLICTS = 5
ABOUT_THE_SAMPLE = frozenset({400, 413, 414, 422})
"""Statuses of a proxy, without our sentence, that another sample might not meet."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Rest:
    """How long nothing is to be sent; `or_news` where a new sample ends it."""

    at_most_s: float
    or_news: bool = False


GO_ON = Rest(at_most_s=0.0)


@dataclass(kw_only=True)
class Sync:
    """Sends one parcel at each turn, and says how long to rest before the next."""

    spool: Spool
    clock: BootClock
    connect: Callable[[], Client]
    """Opens a client with the token as it is now; raises BadConfiguration where there is none."""
    host: str
    keep: timedelta
    """How long the bytes of what the clinic has stay here."""
    now_s: Callable[[], float] = time.monotonic
    _client: Client | None = None
    _failed: int = 0
    _met: bool = False
    _met_s: float = float("-inf")
    _postponed: dict[int, float] = field(default_factory=dict)
    _trouble: str | None = None

    def turn(self) -> Rest:
        """Send what is next."""
        now_s = self.now_s()
        parcel = self.spool.next_parcel(
            leaving_out=frozenset(n for n, until in self._postponed.items() if until > now_s)
        )
        if not parcel and self._met and now_s - self._met_s < LOOKS_IN_EVERY_S:
            self.spool.prune(sent_before=(self.clock.now() - self.keep).timestamp())
            return self._idle()
        try:
            self._meet()
            if not parcel:
                return self._idle()
            self._deliver(parcel)
        except (NotAllowed, BadConfiguration) as error:
            self._lose_contact()
            self._say(f"{error} Nothing is lost: all is kept here and sent with a token that may.")
            return Rest(at_most_s=_jittered(TOKEN_PAUSE_S))
        except Unreachable as error:
            return self._wait(parcel, error)
        except FirstreadError as error:
            self._refused(parcel, error)
        return GO_ON

    def _idle(self) -> Rest:
        soonest_s = min(self._postponed.values(), default=float("inf")) - self.now_s()
        return Rest(at_most_s=max(1.0, min(LOOKS_IN_EVERY_S, soonest_s)), or_news=True)

    def close(self) -> None:
        self._lose_contact()

    def _meet(self) -> None:
        """Ask for the clinic's time before anything is sent: small, and it dates what came in."""
        if self._client is None:
            self._client = self.connect()
        if not self._met or self.now_s() - self._met_s > LOOKS_IN_EVERY_S:
            self.clock.note_clinic(self._client.clock())
            self.spool.note("last contact", self.clock.now().isoformat(timespec="seconds"))
            if self._failed or self._trouble is None:
                # A refused token is no trouble of the network, and stays said until it is taken.
                self.spool.note("trouble", "")
                self._trouble = ""
            self._met, self._met_s, self._failed = True, self.now_s(), 0

    def _deliver(self, parcel: Sequence[Entry]) -> None:
        entries, samples = [], []
        for entry in parcel:
            data = self.spool.bytes_of(entry)
            if data is None:
                self.spool.hold_lost(entry)
            else:
                entries.append(entry)
                samples.append(data)
        if not entries:
            return
        done = self._post(entries, samples)
        numbers = tuple(entry.number for entry in entries)
        self.spool.sent(numbers, case_id=done.case_id, at=self.clock.now())
        self._succeeded(numbers)
        if done.refused:
            log.warning("the clinic could not open %d of the samples just sent", len(done.refused))
        log.info("%d sent to the clinic as case %s", len(numbers), done.case_id)

    def _post(self, entries: Sequence[Entry], data: Sequence[bytes]) -> Submitted:
        if self._client is None:  # only after _meet
            raise Unreachable("The clinic was not met yet. Try again.")
        first = entries[0]
        edge = told(entries, host=self.host, received_at=self.clock.received_at(first))
        fields = {"check": first.check, "accession": first.accession, "patient": first.patient}
        key = self._key([fields, edge, [entry.sha256 for entry in entries]])
        return KINDS[first.kind].post(self._client, entries, data, **fields, edge=edge, key=key)

    def _key(self, sent: Any) -> str:
        """The same request has the same key, in whatever process and after whatever crash."""
        plain = json.dumps([self.spool.identity(), sent], sort_keys=True)
        return f"edge-{hashlib.sha256(plain.encode()).hexdigest()}"

    def _succeeded(self, numbers: Sequence[int]) -> None:
        self._failed, self._met_s = 0, self.now_s()
        for number in numbers:
            self._postponed.pop(number, None)
        if self._trouble:
            log.info("the clinic answers again")
        self._trouble = ""

    def _wait(self, parcel: Sequence[Entry], error: Unreachable) -> Rest:
        if error.status in ABOUT_THE_SAMPLE:
            self._refused(parcel, error)
            return GO_ON
        if error.status == 500 and parcel:
            # It may be this one sample that the clinic stumbles over: those behind it go on.
            tries = self.spool.tried(parcel[0].number, said=str(error))
            pause_s = min(POSTPONED_S * 2 ** min(tries - 1, 20), LONGEST_POSTPONED_S)
            for entry in parcel:
                self._postponed[entry.number] = self.now_s() + pause_s
            if len(parcel) > 1:
                self.spool.send_alone(tuple(entry.number for entry in parcel))
            log.warning("the clinic stumbled over sample %d, try %d", parcel[0].number, tries)
            return Rest(at_most_s=_jittered(FIRST_PAUSE_S))
        self._met = False
        self._failed += 1
        self._say(str(error))
        pause_s = min(FIRST_PAUSE_S * 2 ** min(self._failed - 1, 20), LONGEST_PAUSE_S)
        return Rest(at_most_s=_jittered(pause_s))

    def _refused(self, parcel: Sequence[Entry], error: FirstreadError) -> None:
        """The clinic answered, and does not take these; what is theirs alone holds up no other."""
        first = parcel[0] if parcel else None
        if first is None:
            self._say(str(error))
        elif len(parcel) > 1:
            self.spool.send_alone(tuple(entry.number for entry in parcel))
        elif first.refusal and isinstance(error, UnreadableSample):
            self.spool.delivered_refused(first.number, at=self.clock.now())
            self._succeeded([first.number])
            log.info("sample %d is with the clinic as refused", first.number)
        elif isinstance(error, ConflictingRequest) and (
            self.spool.tried(first.number, said=str(error)) < CONFLICTS
        ):
            self._postponed[first.number] = self.now_s() + FIRST_PAUSE_S
        else:
            self.spool.hold(first.number, said=str(error))
            log.warning("the clinic does not take sample %d: %s", first.number, _plain(error))

    def _lose_contact(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client, self._met = None, False

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:  # once, not at every try
            self._trouble = trouble
            self.spool.note("trouble", trouble)
            log.warning("%s %d wait", trouble, self.spool.standing().waiting)


def _plain(error: FirstreadError) -> str:
    """The kind of a refusal: its sentence may hold what no log may, and stands in the status."""
    return f"{type(error).__name__}; 'firstread edge status' says why"


def _jittered(pause_s: float) -> float:
    """A little more or less, so that the edges of one network do not all come back at once."""
    return pause_s * random.uniform(0.75, 1.25)
