"""The history of a case in sentences, from its audit rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from firstread.clinic.keeping.store_round import DAMAGE
from firstread.clinic.models import AuditRow, Case, Person
from firstread.clinic.models.corrections import Mending
from firstread.clinic.outbox.delivery import NOT_YET
from firstread.clinic.queue.waiting import WAITS
from firstread.clinic.shown.corrections import said_of
from firstread.connect.channels import words_of
from firstread.connect.mail.channel import MAIL

Detail = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that happened."""

    at: datetime
    who: str
    sentence: str
    action: str


def lines_of(case: Case, *, titles: Mapping[str, str], answers_hidden: bool) -> tuple[Line, ...]:
    """What happened to the case, oldest first; what others answered only where it may be seen."""
    rows = list(AuditRow.objects.filter(case_id=case.pk).order_by("number"))
    people = _people(rows)
    mended = _mended(case, rows)
    return tuple(
        Line(
            at=datetime.fromisoformat(row.at),
            who=people.get(row.actor, row.actor),
            sentence=mended.get(row.number)
            or _sentence(row, people, titles=titles, answers_hidden=answers_hidden),
            action=row.action,
        )
        for row in rows
    )


def _mended(case: Case, rows: list[AuditRow]) -> dict[int, str]:
    """What was corrected, by the number of the audit row: the trail holds no accession."""
    named = {row.detail["number"]: row.number for row in rows if row.action in Mending.values}
    done = case.corrections.select_related("patient_before", "patient_after") if named else ()
    return {named[each.number]: said_of(each) for each in done if each.number in named}


def _people(rows: list[AuditRow]) -> dict[str, str]:
    named = {row.actor for row in rows}
    ids = {row.detail["person"] for row in rows if "person" in row.detail}
    found = Person.objects.filter(username__in=named) | Person.objects.filter(pk__in=ids)
    names: dict[str, str] = {"firstread": "Firstread"}
    for person in found:
        shown = person.get_full_name() or person.username
        names[person.username] = shown
        names[f"#{person.pk}"] = shown
    return names


def _sentence(
    row: AuditRow, people: Mapping[str, str], *, titles: Mapping[str, str], answers_hidden: bool
) -> str:
    if row.action == "answered":
        return "answered" if answers_hidden else _answered(row.detail, titles)
    if row.action in ("told", "not_told", NOT_YET):
        return _told(row, people)
    if row.action == "same_sample":
        return f"found the same sample under another number: {_number(row.detail)}"
    say = _SENTENCES.get(row.action)
    detail = {**row.detail, "title": _title(row.detail, titles)}
    return say(detail) if say else row.action.replace("_", " ")


def _told(row: AuditRow, people: Mapping[str, str]) -> str:
    # Rows of the time when mail was the only channel do not name it.
    words = words_of(row.detail.get("channel", MAIL.name))
    line = {"told": words.told, NOT_YET: words.not_yet}.get(row.action, words.not_told)
    to = people.get(f"#{row.detail.get('person')}") or row.detail.get("to") or "somebody"
    return line.format(to=to, what=row.detail.get("what", ""))


def _number(detail: Detail) -> str:
    """The accession of the other case: looked up, for the audit trail holds case ids only."""
    other = Case.objects.filter(pk=detail["other"]).values_list("accession", flat=True).first()
    return other or "one that is gone"


def _samples(detail: Detail) -> str:
    count = detail.get("samples", 1)
    return "1 sample" if count == 1 else f"{count} samples"


def _title(detail: Detail, titles: Mapping[str, str]) -> str:
    code = str(detail.get("label", ""))
    return titles.get(code, code)


def _answered(detail: Detail, titles: Mapping[str, str]) -> str:
    agrees = "agreed with the first read" if detail.get("agrees") else "saw something else"
    return f"{agrees}: {_title(detail, titles)}"


def _read(detail: Detail) -> str:
    said = f"read it with {detail['pack']}" if detail.get("pack") else "read it"
    said = " ".join([said, ", ".join(detail["where"])]) if detail.get("where") else said
    return ": ".join(
        [said, *(detail[each] for each in ("verdict", "left_out") if detail.get(each))]
    )


def _from_edge(detail: Detail) -> str:
    said = f"brought it from the edge {detail['host']}"
    if "received_at" in detail:
        at = datetime.fromisoformat(detail["received_at"]).astimezone(UTC)
        said += f", which received it on {at:%Y-%m-%d at %H:%M} UTC"
    return f"{said} and read it with {detail['pack']}" if detail.get("pack") else said


_SENTENCES: dict[str, Callable[[Detail], str]] = {
    "received": lambda d: f"received {_samples(d)} through the {d.get('door')} door",
    "added": lambda d: f"added {_samples(d)} through the {d.get('door')} door",
    "read": _read,
    "unfit": lambda d: ": ".join(
        ["could not read it and asks a person to", *([d["left_out"]] if d.get("left_out") else [])]
    ),
    DAMAGE: lambda d: f"found the bytes of a sample {d['ails']} in the store",
    "bytes_erased": lambda _: "erased the bytes of a sample, as the site's retention says",
    "names_erased": lambda _: "erased whose it is, as the site's retention says",
    "held": lambda _: "holds it: nothing of it is erased",
    "let_go": lambda _: "no longer holds it",
    WAITS: lambda d: f"could not read it yet and tries again: {d['reason']}",
    "from_edge": _from_edge,
    "edge_read_not_taken": lambda d: f"brought a read from there that is made anew: {d['why']}",
    "edge_embedding_not_kept": lambda d: (
        f"brought an embedding from there that is not kept: {d['why']}"
    ),
    "took_back": lambda _: "took the answer back",
    "viewed": lambda _: "looked at it",
    "differ": lambda _: "found that two specialists differ, and asks the chief",
    "reread": lambda d: f"had it read again. It was unfit before: {d['reason']}",
    "resent": lambda _: "had a message about it sent again",
    "signed_off": lambda d: f"signed it off: {d['title']}",
    "amended": lambda d: f"amended it: {d['title']}",
}
