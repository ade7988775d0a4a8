"""Accessions and patients' numbers that a spreadsheet has taken for something else."""

from __future__ import annotations

import re
from collections.abc import Mapping

_MONTHS = (
    "jan|feb|mar|mär|mrz|mars|apr|avr|may|mai|jun|juin|jul|juil|aug|aoû|sep|oct|okt|nov|dec|dez|déc"
)
_MADE = (
    (re.compile(r"[+-]?[0-9]+([.,][0-9]*)?[eE][+-][0-9]+|[+-]?[0-9]+[.,][0-9]+[eE][0-9]+"),
     "a number with an exponent, whose last digits are gone"),
    (re.compile(rf"[0-9]{{1,2}}[-. /]+({_MONTHS})[a-zé]*\.?([-. /]+[0-9]{{2,4}})?", re.IGNORECASE),
     "a date"),
    (re.compile(rf"({_MONTHS})[a-zé]*\.?[-. /]+[0-9]{{1,4}}", re.IGNORECASE), "a date"),
    (re.compile(r"[0-9]{1,2}([./])[0-9]{1,2}\1([0-9]{2}|[0-9]{4})"), "a date"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+)?"), "a date"),
    (re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"), "a time"),
    (re.compile(r"[0-9]+[.,]0+"), "a number with a decimal sign"),
    (re.compile(r"[0-9]{1,3}(,[0-9]{3})+|[0-9]{1,3}(\.[0-9]{3}){2,}"), "a number with separators"),
    (re.compile(r"#+|#(N/A|NV|REF!|VALUE!|WERT!|NAME\?|DIV/0!|NUM!|ZAHL!|BEZUG!)"), "no value"),
)  # fmt: skip


def made_of(text: str) -> str:
    """What a spreadsheet seems to have made of the number, '' where it looks as it was typed.

    >>> [made_of(text) for text in ("1.00E+06", "2-Apr", "865102.0", "865102", "12E345", "2-21")]
    ['a number with an exponent, whose last digits are gone', 'a date', 'a number with a decimal sign', '', '', '']
    """  # noqa: E501
    return next((what for pattern, what in _MADE if pattern.fullmatch(text.strip())), "")


def refusal(text: str, *, line: int, what: str) -> str:
    """The sentence for a changed number, '' where it was not changed."""
    made = made_of(text)
    if not made:
        return ""
    return (
        f"Line {line}: the {what} is '{text[:40]}', {made}: a spreadsheet has changed it. Format "
        "the column as text, put the right numbers in, and export the table again."
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
