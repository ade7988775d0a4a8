"""The campaign: samples come in by all doors, everything around them breaks, then it is counted."""

from __future__ import annotations

import logging
import os
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign import faults
from tests.campaign.doors import Waiting, by_api, by_folder, by_page, by_submit
from tests.campaign.ledger import Ledger, Moment, Trouble
from tests.campaign.place import SPECIALISTS, Place, place_on
from tests.campaign.reckoning import reckon
from tests.campaign.samples import DOORS, FILE, parcels
from tests.campaign.specialists import answer_by_api, answer_by_page

SETTLED_WITHIN_S = 60.0
"""So long after the mending nothing of what had waited may wait any more."""
WAITED_FOR_S = 300.0
"""So long it is looked on, to know how long it does take."""
LOOKS_EVERY_S = 1.0
"""How often it is asked how things stand: seldom, for it takes time from what is tried."""
FIRST = 5
"""So many cases are read before anything breaks."""
TWO_AT_A_TIME = 0.3
"""So often a fault falls into another one."""
MOST_WAITING = 100
"""More come in only when fewer than these wait to be read."""
MOST_LEAVING = 100
"""... or to be mailed."""
BY = {"api": (by_api, 2), "page": (by_page, 1), "folder": (by_folder, 1), "submit": (by_submit, 1)}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked of one campaign."""

    samples: int
    seed: int
    database: str
    minutes: float
    """No sample is begun after this time."""
    a_second: float = 7.0
    """So many samples come in, unless too many wait."""
    lease_s: float | None = None
    """Of the reader; None for what ships."""
    each_once: bool = False
    """Every kind of fault once and for a moment, in place of at random until all is put in."""
    told: Callable[[Moment, str], None] = field(default=lambda _moment, _what: None)
    """Is told how things stand, again and again."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it."""

    plan: Plan
    ledger: Ledger
    counts: dict[str, int]
    took_s: float
    longest_wait_s: float
    left_out: tuple[str, ...]
    """Faults that cannot be made on this machine."""


@dataclass(kw_only=True)
class _Now:
    """What goes on at the moment."""

    moment: Moment
    faults: str = ""
    all_in: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


def run(plan: Plan, *, work: Path) -> Outcome:
    """One campaign in the folder `work`; what may not be stands in the ledger afterwards."""
    ledger = Ledger()
    with place_on(plan.database, work=work, ledger=ledger, lease_s=plan.lease_s) as place:
        ledger.began = time.monotonic()
        now = _Now(moment=Moment(at_s=0, put_in=0, read=0, waiting=0, leaving=0))
        doors, others = _threads(plan, place, now)
        for thread in (*doors, *others):
            thread.start()
        while now.moment.read < FIRST:
            time.sleep(0.1)
        left_out = _break_things(plan, place, now, doors)
        _mend_all(place, now)
        place.stopping.set()
        now.over.set()
        for thread in others:
            thread.join()
        took_s = ledger.now_s
        counts = reckon(place)
        longest = _longest_wait(place)
        place.site.stop()
    return Outcome(
        plan=plan,
        ledger=ledger,
        counts=counts,
        took_s=took_s,
        longest_wait_s=longest,
        left_out=left_out,
    )


def _threads(
    plan: Plan, place: Place, now: _Now
) -> tuple[list[threading.Thread], list[threading.Thread]]:
    """Those who put samples in, and those who do something beside."""
    queues: dict[str, Waiting] = {door: queue.Queue(maxsize=25) for door in DOORS}
    chances = random.Random(f"doors {plan.seed}")

    def thread(what: Callable[..., None], *given: object) -> threading.Thread:
        return threading.Thread(target=_guarded, args=(place, what, *given), daemon=True)

    doors = [
        thread(by, place, queues[door], random.Random(chances.random()))
        for door, (by, many) in BY.items()
        for _ in range(many)
    ]
    others = [thread(_feed, plan, place, now, queues), thread(_pulse, plan, place, now)]
    for by, name in zip((answer_by_api, answer_by_page), SPECIALISTS, strict=True):
        others.append(thread(by, place, name, random.Random(chances.random()), now.over))
    return doors, others


def _guarded(place: Place, what: Callable[..., None], *given: object) -> None:
    try:
        what(*given)
    except BaseException as error:
        place.ledger.say(f"the campaign itself failed in {what.__name__}: {error!r}")
        raise


def _feed(plan: Plan, place: Place, now: _Now, queues: dict[str, Waiting]) -> None:
    """Gives the doors their parcels, no faster than they are read and mailed."""
    end_s = plan.minutes * 60
    for parcel in parcels(plan.samples, seed=plan.seed):
        due_s = parcel.number / plan.a_second
        while (
            place.ledger.now_s < due_s
            or now.moment.waiting > MOST_WAITING
            or now.moment.leaving > MOST_LEAVING
        ):
            if place.stopping.wait(0.1):
                return
        if place.ledger.now_s > end_s:
            break
        queues[parcel.door].put(parcel)
    for each in queues.values():
        each.put(None)
    now.all_in.set()


def _pulse(plan: Plan, place: Place, now: _Now) -> None:
    """Looks again and again how things stand."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # a line for each command of SMTP
    states = "SELECT state, count(*) FROM clinic_case GROUP BY state"
    leaving = "SELECT count(*) FROM clinic_outgoing WHERE state = 'waiting'"
    while not now.over.wait(LOOKS_EVERY_S):
        found, mails = place.ask(states), place.ask(leaving)
        if found is None or mails is None:
            continue
        counts = dict(found)
        waiting = counts.get("received", 0) + len(_in_the_inbox(place))
        now.moment = Moment(
            at_s=place.ledger.now_s,
            put_in=place.ledger.dealt_with + _out_of_the_inbox(place),
            read=sum(counts.values()) - counts.get("received", 0),
            waiting=waiting,
            leaving=mails[0][0],
        )
        place.ledger.moments.append(now.moment)
        plan.told(now.moment, now.faults)


def _in_the_inbox(place: Place) -> set[str]:
    """The files that wait there, also those that somebody has claimed."""
    return _files(place.inbox / "leukaemia", place.inbox / ".taking")


def _out_of_the_inbox(place: Place) -> int:
    """How many files were received from there, or came back."""
    return len(_files(place.inbox / ".done", place.inbox / "refused"))


def _files(*folders: Path) -> set[str]:
    """The laboratory's files; folders that go meanwhile are no trouble."""
    walked = (names for folder in folders for _, _, names in os.walk(folder))
    return {name for names in walked for name in names if name.endswith(f"_{FILE}.png")}


def _break_things(
    plan: Plan, place: Place, now: _Now, doors: list[threading.Thread]
) -> tuple[str, ...]:
    """Faults until every door has put in all it has; returns those that cannot be made here."""
    chance = random.Random(f"faults {plan.seed}")
    possible = faults.possible(place, plan.database)
    bag: list[faults.Fault] = []
    rounds = 0
    while any(door.is_alive() for door in doors) or (plan.each_once and rounds < len(possible)):
        if plan.each_once and rounds >= len(possible):
            time.sleep(0.2)
            continue
        if not bag:
            # What takes longest to settle comes first where there is one round of each.
            bag = possible[::-1] if plan.each_once else chance.sample(possible, len(possible))
        drawn = [bag.pop()]
        two = not plan.each_once and bag and chance.random() < TWO_AT_A_TIME
        if two and not _same_server(drawn[0], bag[-1]):
            drawn.append(bag.pop())
        _one_round(plan, place, now, drawn, chance)
        rounds += 1
        time.sleep(chance.uniform(0.0, 3.0) if not plan.each_once else 0.2)
    return tuple(each.name for each in faults.FAULTS if each not in possible)


def _same_server(one: faults.Fault, other: faults.Fault) -> bool:
    return one.name in faults.APART and other.name in faults.APART


def _one_round(
    plan: Plan, place: Place, now: _Now, drawn: list[faults.Fault], chance: random.Random
) -> None:
    names = tuple(fault.name for fault in drawn)
    now.faults = " and ".join(names)
    began_s = place.ledger.now_s
    longest = max(fault.longest_s for fault in drawn)
    lasts_s = 1.0 if plan.each_once else chance.uniform(1.0, longest)
    with faults.make(drawn, place, chance):
        time.sleep(lasts_s)
    ended_s = place.ledger.now_s
    now.faults = f"after {now.faults}"
    waited, settled_in_s = (0, 0.0) if plan.each_once else _settle(place, names)
    now.faults = ""
    place.ledger.troubles.append(
        Trouble(
            names=names,
            began_s=began_s,
            ended_s=ended_s,
            waited=waited,
            settled_in_s=settled_in_s,
        )
    )


def _settle(place: Place, names: tuple[str, ...]) -> tuple[int, float]:
    """How much waits now, and how long it takes until none of that does."""
    began = time.monotonic()
    left = first = _waits(place)
    late = ""
    while left:
        took_s = time.monotonic() - began
        if took_s > WAITED_FOR_S:
            break
        if took_s > SETTLED_WITHIN_S and not late:
            late = _told(place, left)
        time.sleep(LOOKS_EVERY_S)
        left = left & _waits(place)
    took_s = time.monotonic() - began
    if late:
        place.ledger.say(
            f"{took_s:.0f} s after the end of {names} what had waited then was done, in place of "
            f"{SETTLED_WITHIN_S:.0f}; of {len(first)} there were left {late}"
        )
    return len(first), took_s


def _waits(place: Place) -> set[str]:
    """Everything that waits: cases to be read, mails to leave, files to be taken."""
    cases = place.insist("SELECT id FROM clinic_case WHERE state = 'received'")
    mails = place.insist("SELECT id FROM clinic_outgoing WHERE state = 'waiting'")
    found = {f"case {case}" for (case,) in cases} | {f"mail {mail}" for (mail,) in mails}
    return found | {f"file {name}" for name in _in_the_inbox(place)}


def _told(place: Place, left: set[str]) -> str:
    """How many of each kind are left, and what is known of one of them."""
    kinds = {kind: sum(each.startswith(kind) for each in left) for kind in ("case", "mail", "file")}
    kind, name = min(left).split(" ", 1)
    if kind == "file":
        known: object = [str(each) for each in place.inbox.rglob(name)]
    else:
        table = {"case": "clinic_case", "mail": "clinic_outgoing"}[kind]
        error = {"case": "unfit_reason", "mail": "last_error"}[kind]
        known = place.ask(
            f"SELECT attempts, retry_at, claimed_until, held_by, {error} FROM {table} "
            f"WHERE id = '{name}'"
        )
    return f"{kinds}; {kind} {name} is {known}"


def _mend_all(place: Place, now: _Now) -> None:
    """Everything is well, all is put in: what is left must be done within a minute."""
    now.faults = "everything is mended"
    began = time.monotonic()
    # What a lying server refused for good is sent again as the page of the outbox says.
    again = place.site.firstread("outbox", "resend", "--given-up")
    if again.returncode:
        place.ledger.say(f"what was given up cannot be sent again: {again.stderr}")
    waited, took_s = _settle(place, ("everything",))
    place.ledger.troubles.append(
        Trouble(
            names=("at the end",),
            began_s=began - place.ledger.began,
            ended_s=began - place.ledger.began,
            waited=waited,
            settled_in_s=took_s,
        )
    )


def _longest_wait(place: Place) -> float:
    """From received to read, of the case that waited longest; both by the database's clock."""
    rows = place.insist("SELECT received_at, read_at FROM clinic_case WHERE read_at IS NOT NULL")
    return max((_seconds(read) - _seconds(received) for received, read in rows), default=0.0)


def _seconds(moment: object) -> float:
    from datetime import datetime

    found = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    return found.timestamp()
