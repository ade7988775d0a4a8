"""How numbers, names and times are shown on the pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from firstread.clinic.checks import sample_words
from firstread.clinic.models import Case, Person
from firstread.clinic.shown.words import percent, title_of
from firstread.domain.priority import Priority

register = template.Library()
register.filter(sample_words.plural)
register.filter(sample_words.how_many)
register.filter(percent)
register.filter(title_of)

STATES = {
    "received": "Being read",
    "read": "Read",
    "unfit": "Unfit",
    "signed_off": "Signed off",
    "amended": "Amended",
}
BASES = {
    "one_reader": "one specialist",
    "two_readers": "two specialists agreed",
    "chief": "the chief's word",
    "amendment": "amendment",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A line icon of the sprite; the words beside it say what it means."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("clinic/img/icons.svg"),
        name,
    )


@register.filter
def width(value: float | None, full: float = 100) -> str:
    """A share as a length in an SVG of that width."""
    return f"{min(1.0, max(0.0, value or 0.0)) * full:.2f}"


@register.filter
def number(value: float | None) -> str:
    """A measured value without needless zeros."""
    return "–" if value is None else f"{value:g}"


@register.filter
def grouped(value: int | None) -> str:
    """A count with its thousands apart.

    >>> grouped(2271), grouped(70)
    ('2,271', '70')
    """
    return "–" if value is None else f"{value:,}"


@register.filter
def words(text: str) -> list[str]:
    """The words of a text, for a list that a template goes through."""
    return text.split()


@register.filter
def signed(value: float) -> str:
    """A contribution with its sign.

    >>> signed(1.2), signed(-0.25)
    ('+1.20', '−0.25')
    """
    return f"{value:+.2f}".replace("-", "−")


@register.filter
def state_name(state: str) -> str:
    return STATES.get(state, state)


@register.filter
def basis_name(basis: str) -> str:
    return BASES.get(basis, basis)


@register.filter
def priority_name(value: int) -> str:
    return Priority(value).name.lower()


@register.filter
def person_name(person: Person | None) -> str:
    """A person's full name, or the name they sign in with."""
    return "Firstread" if person is None else person.get_full_name() or person.username


@register.filter
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


@register.filter
def since(moment: datetime | None) -> str:
    return "" if moment is None else in_words(timezone.now() - moment)


@register.filter
def turnaround(case: Case) -> str:
    """From receipt to sign-off."""
    return "" if case.decided_at is None else in_words(case.decided_at - case.received_at)


@register.simple_tag
def moment(value: datetime | None, shape: str = "j M, H:i") -> SafeString:
    """A time that the page's clock turns into the reader's own zone."""
    if value is None:
        return SafeString("")
    from django.utils.dateformat import format as as_text

    return format_html(
        '<time datetime="{}" data-shape="moment" title="{}">{}</time>',
        value.isoformat(),
        f"{as_text(value, 'j F Y, H:i:s')} UTC",
        as_text(value, shape),
    )


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: object) -> str:
    """This page's query string with some keys changed; None takes a key away."""
    params = context["request"].GET.copy()
    for key, value in changes.items():
        params.pop(key, None)
        if value not in (None, ""):
            params[key] = str(value)
    return f"?{params.urlencode()}" if params else "?"
