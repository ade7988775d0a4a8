"""How probabilities and labels are said, on every page alike."""

from __future__ import annotations

from firstread.domain.case import NO_ALARM, OTHER

NBSP = "\N{NO-BREAK SPACE}"

ANSWERS = {NO_ALARM: "Nothing that raises the alarm", OTHER: "Something else"}


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
