"""What people and spreadsheets write for a number; what may be two numbers is none."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from firstread.domain.errors import BadMeasurement

_GAPS = "[ \\u00a0\\u2009\\u202f\\u2019']"
_BODY = re.compile(rf"[+-]?(?P<body>([0-9.,]|{_GAPS})*[0-9.,])(?P<power>[eE][+-]?[0-9]{{1,3}})?")
_GAPPED = re.compile(rf"[0-9]{{1,3}}({_GAPS}[0-9]{{3}})+([.,][0-9]+)?")
_COMMAS = re.compile(r"[0-9]{1,3}(,[0-9]{3}){2,}(\.[0-9]*)?|[0-9]{1,3}(,[0-9]{3})+\.[0-9]*")
_POINTS = re.compile(r"[0-9]{1,3}(\.[0-9]{3}){2,}(,[0-9]*)?|[0-9]{1,3}(\.[0-9]{3})+,[0-9]*")
_ONE = re.compile(r"[0-9]+([.,][0-9]*)?|[.,][0-9]+")
_EITHER = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")


@dataclass(frozen=True, kw_only=True)
class Signs:
    """Which signs a table's other numbers show for certain."""

    comma_decimal: bool = False
    point_decimal: bool = False
    comma_groups: bool = False
    point_groups: bool = False


NO_SIGNS = Signs()


def signs_of(cells: Iterable[str], *, separator: str) -> Signs:
    """What the certain numbers of a table show; one parted by semicolons has decimal commas.

    >>> signs_of(["5,5", "7"], separator="\\t").comma_decimal
    True
    """
    bodies = [found["body"] for found in map(_BODY.fullmatch, cells) if found]
    commas = any(_COMMAS.fullmatch(body) for body in bodies)
    points = any(_POINTS.fullmatch(body) for body in bodies)
    certain = [b for b in bodies if _ONE.fullmatch(b) and not _EITHER.fullmatch(b)]
    point_decimal = commas or any("." in body for body in certain)
    comma_decimal = points or any("," in body for body in certain)
    return Signs(
        comma_decimal=comma_decimal or (separator == ";" and not point_decimal),
        point_decimal=point_decimal,
        comma_groups=commas,
        point_groups=points,
    )


def number_of(text: str, *, signs: Signs = NO_SIGNS) -> float:
    """The number that a cell holds, NaN where it holds none.

    `5,5` is five and a half; `1,234.5`, `1.234,5` and `1 234` have thousands separators. Raises
    BadMeasurement where it may be one or the other, and nothing in the table tells.

    >>> [number_of(text) for text in ("5,5", "1.234.567", "1,234.5", "0,125", "1 234,5")]
    [5.5, 1234567.0, 1234.5, 0.125, 1234.5]
    >>> number_of("1,234", signs=Signs(comma_decimal=True))
    1.234
    """
    found = _BODY.fullmatch(text)
    if found is None:
        return math.nan
    body = found["body"]
    if _GAPPED.fullmatch(body):
        plain = re.sub(_GAPS, "", body).replace(",", ".")
    elif _COMMAS.fullmatch(body):
        plain = body.replace(",", "")
    elif _POINTS.fullmatch(body):
        plain = body.replace(".", "").replace(",", ".")
    elif _EITHER.fullmatch(body):
        plain = _either(body, signs=signs)
    elif _ONE.fullmatch(body):
        plain = body.replace(",", ".")
    else:
        return math.nan
    return float(("-" if text.startswith("-") else "") + plain + (found["power"] or ""))


def _either(body: str, *, signs: Signs) -> str:
    whole, apart = body.replace(",", "").replace(".", ""), body.replace(",", ".")
    if "," in body:
        decimal = signs.comma_decimal and not (signs.comma_groups or signs.point_decimal)
        groups = (signs.comma_groups or signs.point_decimal) and not signs.comma_decimal
    else:
        groups = signs.point_groups and not signs.point_decimal
        decimal = not signs.point_groups and (signs.point_decimal or not signs.comma_decimal)
    if decimal == groups:
        raise BadMeasurement(
            f"'{body}' may be {whole} or {apart}. Write it without a thousands separator.", field=""
        )
    return whole if groups else apart
