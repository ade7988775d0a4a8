"""How numbers, labels, names and times are said, on every page alike."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from firstread.clinic.models import Case, Person
from firstread.domain.case import NO_ALARM, NO_RESULT, OTHER
from firstread.domain.priority import Priority

NBSP = "\N{NO-BREAK SPACE}"

_HISSING = ("s", "x", "z", "ch", "sh")

ANSWERS = {
    NO_ALARM: "Nothing that raises the alarm",
    OTHER: "Something else",
    NO_RESULT: "Withdrawn",
}
STATES = {
    "received": "Being read",
    "read": "Read",
    "unfit": "Unfit",
    "signed_off": "Signed off",
    "amended": "Amended",
    "withdrawn": "Withdrawn",
}
BASES = {
    "one_reader": "one specialist",
    "two_readers": "two specialists agreed",
    "chief": "the chief's word",
    "amendment": "amendment",
}


def percent(value: float | None) -> str:
    """A probability as a person reads it; certainty is never claimed.

    >>> percent(0.9312), percent(0.9999), percent(0.002)
    ('93\xa0%', '>\xa099\xa0%', '<\xa01\xa0%')
    """
    if value is None:
        return "–"
    hundredths = value * 100
    if 0 < hundredths < 1:
        return f"<{NBSP}1{NBSP}%"
    if 99 < hundredths < 100:
        return f">{NBSP}99{NBSP}%"
    return f"{hundredths:.0f}{NBSP}%"


def title_of(code: str, titles: dict[str, str] | None = None) -> str:
    """The title of a label's code, as the pack or the answers name it."""
    named = (titles or {}).get(code) or ANSWERS.get(code)
    return named or code.replace("-", " ").replace("_", " ").capitalize()


def plural(one: str) -> str:
    """Several of them.

    >>> plural("cell"), plural("slice"), plural("patch"), plural("biopsy core"), plural("biopsy")
    ('cells', 'slices', 'patches', 'biopsy cores', 'biopsies')
    """
    if one.endswith(_HISSING):
        return f"{one}es"
    if one.endswith("y") and not one.endswith(("ay", "ey", "oy", "uy")):
        return f"{one[:-1]}ies"
    return f"{one}s"


def how_many(count: int, one: str) -> str:
    """So many of them.

    >>> how_many(1, "patch"), how_many(8, "patch"), how_many(1200, "cell")
    ('1 patch', '8 patches', '1,200 cells')
    """
    return f"{count:,} {one if count == 1 else plural(one)}"


def width(value: float | None, full: float = 100) -> str:
    """A share as a length in an SVG of that width."""
    return f"{min(1.0, max(0.0, value or 0.0)) * full:.2f}"


def number(value: float | None) -> str:
    """A measured value without needless zeros."""
    return "–" if value is None else f"{value:g}"


def grouped(value: int | None) -> str:
    """A count with its thousands apart.

    >>> grouped(2271), grouped(70)
    ('2,271', '70')
    """
    return "–" if value is None else f"{value:,}"


def words(text: str) -> list[str]:
    """The words of a text, for a list that a template goes through."""
    return text.split()


def signed(value: float) -> str:
    """A contribution with its sign.

    >>> signed(1.2), signed(-0.25)
    ('+1.20', '−0.25')
    """
    return f"{value:+.2f}".replace("-", "−")


def state_name(state: str) -> str:
    return STATES.get(state, state)


def basis_name(basis: str) -> str:
    return BASES.get(basis, basis)


def priority_name(value: int) -> str:
    return Priority(value).name.lower()


def priority_look(case: Case) -> str:
    """What a case's priority looks like: none has the alarm's red whose alarm does not stand."""
    capped = case.priority if case.verdict.may_ring else min(case.priority, Priority.URGENT)
    return priority_name(capped)


def person_name(person: Person | None) -> str:
    """A person's full name, or the name they sign in with."""
    return "Firstread" if person is None else person.get_full_name() or person.username


def initials(person: Person) -> str:
    words = person_name(person).split()
    return "".join(word[0] for word in words[:2]).upper()


def in_words(span: timedelta) -> str:
    """A span of time in its two largest units.

    >>> in_words(timedelta(seconds=40)), in_words(timedelta(minutes=75))
    ('40 s', '1 h 15 min')
    """
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def since(moment: datetime | None) -> str:
    return "" if moment is None else in_words(timezone.now() - moment)


def turnaround(case: Case) -> str:
    """From receipt to sign-off."""
    return "" if case.decided_at is None else in_words(case.decided_at - case.received_at)
