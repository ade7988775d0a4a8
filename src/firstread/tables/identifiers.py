"""Accessions and patients' numbers that a spreadsheet has taken for something else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

_MONTHS = (
    "jan|feb|mar|mär|mrz|mars|apr|avr|may|mai|jun|juin|jul|juil|aug|aoû|sep|oct|okt|nov|dec|dez|déc"
)
_NEVER_TYPED = (
    (re.compile(r"[+-]?[0-9]+([.,][0-9]*)?[eE][+-][0-9]+|[+-]?[0-9]+[.,][0-9]+[eE][0-9]+"),
     "a number with an exponent, whose last digits are gone"),
    (re.compile(r"[0-9]+[.,]0"), "a number with a decimal sign"),
    (re.compile(r"#{2,}|#(N/A|NV|REF!|VALUE!|WERT!|NAME\?|DIV/0!|NUM!|ZAHL!|BEZUG!)"), "no value"),
)  # fmt: skip
"""What no laboratory calls a sample by, whoever sends it."""
_MADE = (
    *_NEVER_TYPED,
    (re.compile(rf"[0-9]{{1,2}}[-. /]+({_MONTHS})[a-zé]*\.?([-. /]+[0-9]{{2,4}})?", re.IGNORECASE),
     "a date"),
    (re.compile(rf"({_MONTHS})[a-zé]*\.?[-. /]+[0-9]{{1,4}}", re.IGNORECASE), "a date"),
    (re.compile(r"[0-9]{1,2}([./])[0-9]{1,2}\1([0-9]{2}|[0-9]{4})"), "a date"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+)?"), "a date"),
    (re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"), "a time"),
    (re.compile(r"[0-9]+[.,]0+"), "a number with a decimal sign"),
    (re.compile(r"[0-9]{1,3}(,[0-9]{3})+|[0-9]{1,3}(\.[0-9]{3}){2,}"), "a number with separators"),
    (re.compile(r"#+"), "no value"),
)  # fmt: skip


def composed(text: str) -> str:
    """The same text with each umlaut as one character: Macs write a letter and its dots.

    >>> len("u\\u0308"), len(composed("u\\u0308"))
    (2, 1)
    """
    return unicodedata.normalize("NFC", text)


def made_of(text: str) -> str:
    """What a spreadsheet seems to have made of the number, '' where it looks as it was typed.

    >>> [made_of(text) for text in ("1.00E+06", "2-Apr", "865102.0", "865102", "12E345", "2-21")]
    ['a number with an exponent, whose last digits are gone', 'a date', 'a number with a decimal sign', '', '', '']
    """  # noqa: E501
    return _first(_MADE, text)


def refusal(text: str, *, line: int, what: str) -> str:
    """The sentence for a changed number of a table, '' where it was not changed."""
    return (
        f"Line {line}: the{_changed(text, made, what=what)[3:]}" if (made := made_of(text)) else ""
    )


def refusal_alone(text: str, *, what: str) -> str:
    """The sentence for a number that came without its table, where nobody types it so.

    A date may be what a laboratory calls its samples by, and stays.

    >>> refusal_alone("2024-03-01", what="accession")
    ''
    """
    return _changed(text, made, what=what) if (made := _first(_NEVER_TYPED, text)) else ""


def _first(patterns: Iterable[tuple[re.Pattern[str], str]], text: str) -> str:
    return next((what for pattern, what in patterns if pattern.fullmatch(text.strip())), "")


def _changed(text: str, made: str, *, what: str) -> str:
    return (
        f"The {what} is '{text[:40]}', {made}: a spreadsheet has changed it. Format the column as "
        "text, put the right numbers in, and export the table again."
    )


def lost_zeros(numbers: Mapping[int, str], *, what: str) -> dict[int, str]:
    """The lines whose number is shorter than all those that begin with a zero.

    >>> list(lost_zeros({2: "000123", 3: "004567", 4: "89"}, what="accession"))
    [4]
    """
    widths = {len(text) for text in numbers.values() if text.isdecimal() and text.startswith("0")}
    if len(widths) != 1:
        return {}
    width = widths.pop()
    return {
        line: f"Line {line}: the {what} '{text}' has {len(text)} digits and others have {width}: a "
        "spreadsheet may have taken its leading zeros. Format the column as text, put them in, and "
        "export the table again."
        for line, text in numbers.items()
        if text.isdecimal() and len(text) < width
    }
