"""Numbers that an address may ask for."""

from __future__ import annotations

_MOST_DIGITS = 18
"""A number of more is none that a row, a beat or a page has."""


def number_asked(text: str) -> int | None:
    """The number that stands there; None where it is none, or none that anything has.

    >>> number_asked("12"), number_asked("-1"), number_asked(5_000 * "9")
    (12, None, None)
    """
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None
