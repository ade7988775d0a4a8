"""What must be so at the end, held against what was put in and what was said meanwhile."""

from __future__ import annotations

import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from firstread.domain.case import NO_ALARM
from tests.campaign.ledger import Ledger
from tests.campaign.place import MAILED, Place
from tests.campaign.samples import ACCESSION, COLOURS, FILE, MAY_BE_READ, PATIENT, File, Parcel

SAMPLES = """
SELECT c.id, c.accession, c.part, c.state, c.finding, c.unfit_reason, s.original_name, s.id,
       r.id IS NOT NULL
FROM clinic_case c JOIN clinic_casesample s ON s.case_id = c.id
LEFT JOIN clinic_readrow r ON r.case_sample_id = s.id AND NOT r.shadow
"""
UNREAD = "received"
DECIDED = ("signed_off", "amended")


def reckon(place: Place) -> dict[str, int]:
    """The figures of the end; whatever may not be is said in the ledger."""
    ledger = place.ledger
    rows = place.insist(SAMPLES)
    cases: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        cases[row[1]].append(row)
    at_the_folder = _at_the_folder(place)
    for parcel in ledger.parcels.values():
        for sentence in _of_parcel(parcel, cases.pop(parcel.accession, []), ledger, at_the_folder):
            ledger.say(f"{parcel.door}, parcel {parcel.number}: {sentence}")
    for accession in cases:
        ledger.say(f"a case that nobody put in: {accession}")
    counts = {"samples read": sum(bool(row[8]) for row in rows)}
    counts |= _of_reads(place) | _of_answers(place) | _of_mails(place) | _of_trail(place)
    return counts | _of_logs(place)


def _of_parcel(
    parcel: Parcel, rows: Sequence[tuple[Any, ...]], ledger: Ledger, at_the_folder: Counter[str]
) -> Iterator[str]:
    ids = {str(uuid.UUID(str(row[0]))) for row in rows}
    if len(ids) > 1:
        yield f"{len(ids)} cases"
    told = ledger.taken.get(parcel.number)
    if told and told not in ids:
        yield f"told to be case {told}, which is not there"
    samples = {row[7] for row in rows}
    good = [file for file in parcel.files if not file.hostile]
    if len(samples) < len(good):
        yield f"{len(good) - len(samples)} samples are lost"
    if len(samples) > len(parcel.files) or len(rows) > len(samples):
        yield f"{len(rows)} samples or reads of {len(parcel.files)} files"
    for row in rows:
        yield from _of_case(parcel, row)
    if parcel.door == "folder":
        (file,) = parcel.files
        yield from _of_folder(file, at_the_folder, has_case=bool(rows))
    elif not rows and any(file.number not in ledger.refused for file in parcel.files):
        yield "neither a case nor refused"


def _of_case(parcel: Parcel, row: tuple[Any, ...]) -> Iterator[str]:
    _, _, part, state, finding, reason, _, _, is_read = row
    kinds = {file.kind for file in parcel.files}
    if part != 1:
        yield f"part {part} of its case"
    if state == UNREAD:
        yield "still waits"
    if any(file.good for file in parcel.files):
        if state == "unfit":
            yield f"unfit, though a sample of it is good: {reason}"
        elif not is_read and kinds == {"good"}:
            yield f"{state} without a read"
        colours = {file.colour for file in parcel.files if file.good}
        if len(parcel.files) > 1 and "red" not in colours:
            colours.add(NO_ALARM)
        if not kinds & MAY_BE_READ and finding not in colours:
            yield f"its finding is '{finding}', and its samples are {colours}"
    elif not kinds & {"blurred", *MAY_BE_READ} and state != "unfit":
        yield f"read, though it is {kinds}"


def _of_folder(file: File, at_the_folder: Counter[str], *, has_case: bool) -> Iterator[str]:
    done, back = at_the_folder[f"done {file.name}"], at_the_folder[f"refused {file.name}"]
    if done + back != 1:
        yield f"{file.name} lies {done} times in .done and {back} times in refused"
    if file.good and back:
        yield "a good file came back"
    if done and not has_case:
        yield "put away as done, and there is no case"


def _at_the_folder(place: Place) -> Counter[str]:
    found: Counter[str] = Counter()
    for kind, folder in (("done", ".done"), ("refused", "refused")):
        for path in (place.inbox / folder).rglob(f"{ACCESSION}*"):
            if path.is_file() and not path.name.endswith(".why.txt"):
                found[f"{kind} {path.name}"] += 1
    return found


def _of_reads(place: Place) -> dict[str, int]:
    (total, distinct), *_ = place.insist(
        "SELECT count(*), count(DISTINCT case_sample_id) FROM clinic_readrow WHERE NOT shadow"
    )
    if total != distinct:
        place.ledger.say(f"{total - distinct} samples were read twice")
    ((unfit,),) = place.insist("SELECT count(*) FROM clinic_case WHERE state = 'unfit'")
    ((cases,),) = place.insist("SELECT count(*) FROM clinic_case")
    return {"cases": cases, "reads": total, "unfit": unfit}


def _of_answers(place: Place) -> dict[str, int]:
    """Each decision is one that somebody sent, each answer that counted is there."""
    ledger = place.ledger
    reviews = place.insist(
        "SELECT r.case_id, p.username, r.label FROM clinic_review r "
        "JOIN clinic_person p ON p.id = r.by_id"
    )
    signed = place.insist(
        "SELECT s.case_id, p.username, s.label FROM clinic_signoff s "
        "JOIN clinic_person p ON p.id = s.by_id"
    )
    there = {_answer(row) for row in reviews}
    sent = {(each.case, each.by, each.label) for each in ledger.sent}
    for each in ledger.sent:
        if each.taken and (each.case, each.by, each.label) not in there:
            ledger.say(f"an answer to case {each.case} was taken, and is not there")
    for row in [*reviews, *signed]:
        if _answer(row) not in sent:
            ledger.say(f"an answer that nobody gave: {_answer(row)}")
    if len(signed) != len({row[0] for row in signed}):
        ledger.say("a case is signed off twice")
    decided = place.insist(
        f"SELECT id FROM clinic_case WHERE state IN {DECIDED} "
        "AND id NOT IN (SELECT case_id FROM clinic_signoff)"
    )
    if decided:
        ledger.say(f"{len(decided)} cases are decided, and nobody signed them")
    return {"answers": len(reviews), "signed off": len(signed)}


def _answer(row: tuple[Any, ...]) -> tuple[str, str, str]:
    return str(uuid.UUID(str(row[0]))), row[1], row[2]


def _of_mails(place: Place) -> dict[str, int]:
    ledger, box = place.ledger, place.post.box
    states = dict(place.insist("SELECT state, count(*) FROM clinic_outgoing GROUP BY state"))
    ((reads,),) = place.insist("SELECT count(*) FROM clinic_outgoing WHERE key LIKE 'read:%'")
    ((cases,),) = place.insist("SELECT count(*) FROM clinic_case")
    if reads != cases * len(MAILED):
        ledger.say(f"{reads} mails that a case was read, of {cases} cases")
    total = sum(states.values())
    if states.get("sent", 0) != total:
        ledger.say(f"not every mail is sent: {states}")
    if len(box.handed) != total:
        ledger.say(f"{len(box.handed)} mails were handed over, of {total}")
    again = sum(times - 1 for times in box.handed.values())
    # Between "accepted" and our writing it down a kill may fall, or the time-out.
    excused = ledger.kills + sum(ledger.ended.values()) + box.behaved["accepts too late"]
    excused += _of_the_database(ledger)
    if again > excused:
        ledger.say(f"{again} mails were handed over again, and {excused} times there was a reason")
    if box.names:
        ledger.say(f"{box.names} mails held a name")
    return {"mails": total, "handed over again, with the same ID": again}


def _of_the_database(ledger: Ledger) -> int:
    """Each trouble of database or disk may fall between two, once for every process."""
    words = ("database", "backend", "power", "disk", "grows", "memory", "frozen")
    return 3 * sum(any(w in name for w in words) for t in ledger.troubles for name in t.names)


def _of_trail(place: Place) -> dict[str, int]:
    ledger = place.ledger
    verified = place.site.firstread("audit", "verify")
    if verified.returncode:
        ledger.say(f"the audit trail does not add up: {verified.stdout} {verified.stderr}")
    rows = place.insist(
        "SELECT case_id, action, count(*) FROM clinic_auditrow WHERE case_id IS NOT NULL "
        "AND action IN ('received', 'read', 'unfit', 'signed_off') GROUP BY case_id, action"
    )
    for case, action, count in rows:
        if count != 1 and action != "read":
            ledger.say(f"the trail says {count} times of case {case} that it was {action}")
    came = Counter(action for _, action, _ in rows)
    ((cases,),) = place.insist("SELECT count(*) FROM clinic_case")
    if came["received"] != cases:
        ledger.say(f"{came['received']} cases of {cases} are received by the trail")
    ((total,),) = place.insist("SELECT count(*) FROM clinic_auditrow")
    return {"rows of the audit trail": total}


def _of_logs(place: Place) -> dict[str, int]:
    """No accession, patient, file name or finding stands in a log."""
    named = re.compile(rf"{ACCESSION}\d|{PATIENT}\d|{FILE}|\b({'|'.join(COLOURS)})\b")
    lines = 0
    for log in place.site.home.glob("*.log"):
        for line in log.read_text(errors="replace").splitlines():
            lines += 1
            if named.search(line):
                place.ledger.say(f"{log.name} holds a name: {line[:200]}")
    return {"lines of logs": lines}
