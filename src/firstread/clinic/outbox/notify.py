"""Telling people: a mail to each whom an occasion concerns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from django.conf import settings

from firstread.clinic.models import Case, Outgoing, Person, Role
from firstread.clinic.outbox.write import AT_ONCE, write
from firstread.connect.mail.channel import MAIL, letter


class Occasion(StrEnum):
    """Why somebody is told. The wording holds no finding, no name and no accession."""

    READ = "read"
    DIFFER = "differ"
    SIGNED_OFF = "signed_off"
    AMENDED = "amended"
    VOID = "void"
    WITHDRAWN = "withdrawn"


_SAYS = {
    Occasion.READ: (
        "A case waits for your answer",
        "A new case of a check that you read waits for your answer.",
    ),
    Occasion.DIFFER: (
        "A case waits for your word as chief",
        "Two specialists differ on a case. Your word as chief decides it.",
    ),
    Occasion.SIGNED_OFF: (
        "A case that you sent has been signed off",
        "A specialist has signed off a case that you sent.",
    ),
    Occasion.AMENDED: (
        "A case that you sent has been amended",
        "The decision on a case that you sent has been corrected.",
    ),
    Occasion.VOID: (
        "An answer of yours counts no longer",
        "A case has been moved to another check, so your answer to it counts no longer.",
    ),
    Occasion.WITHDRAWN: (
        "A case that you sent has been withdrawn",
        "A case that you sent has been withdrawn: no result of it stands.",
    ),
}


def tell(occasion: Occasion, *, case: Case, number: int = 0, leaves_in: timedelta = AT_ONCE) -> int:
    """Write a message to each person whom the occasion concerns; returns how many are new.

    Runs inside the caller's transaction. Whoever was told of the same occasion is not told again;
    `number` counts occasions that come several times, such as amendments.
    """
    subject, sentence = _SAYS[occasion]
    if occasion is Occasion.READ and case.verdict.doubt is not None:
        subject = "A case needs your own look"
        sentence = (
            f"{sentence} Its first read does not stand by itself. {case.verdict.says}.\n\n"
            "Nothing was found and nothing was ruled out: please look yourself."
        )
    link = f"{settings.FIRSTREAD.base_url}/cases/{case.pk}"
    payload = letter(
        subject=f"Firstread: {subject}",
        text=(
            f"{sentence}\n\n{link}\n\n"
            "Opening the link changes nothing; you sign in and decide there.\n"
            "Decision support for research; a qualified person decides.\n"
        ),
    )
    rows = (
        Outgoing(
            key=f"{occasion}:{case.pk}:{person.pk}" + (f":{number}" if number else ""),
            channel=MAIL.name,
            address=person.email,
            payload_kind="letter",
            payload=payload,
            case=case,
            to=person,
        )
        for person in _concerned(occasion, case=case)
    )
    return write(rows, leaves_in=leaves_in)


def _concerned(occasion: Occasion, *, case: Case) -> Iterable[Person]:
    people = Person.objects.filter(is_active=True).exclude(email="").order_by("pk")
    if occasion is Occasion.READ:
        return people.filter(
            reads__check_row=case.check_row_id, role__in=(Role.SPECIALIST, Role.CHIEF)
        )
    if occasion is Occasion.DIFFER:
        return people.filter(role=Role.CHIEF)
    if occasion is Occasion.VOID:
        return people.filter(reviews__case=case)
    return people.filter(pk=case.requester_id) if case.requester_id else people.none()
