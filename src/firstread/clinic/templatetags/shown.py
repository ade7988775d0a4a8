"""What templates may call: how things are said, icons, moments, and this page's address changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from firstread.clinic.shown import words

register = template.Library()
for said in (
    words.plural,
    words.how_many,
    words.percent,
    words.title_of,
    words.width,
    words.number,
    words.grouped,
    words.words,
    words.signed,
    words.state_name,
    words.basis_name,
    words.priority_name,
    words.priority_look,
    words.person_name,
    words.initials,
    words.since,
    words.turnaround,
):
    register.filter(said)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A line icon of the sprite; the words beside it say what it means."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("clinic/img/icons.svg"),
        name,
    )


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
