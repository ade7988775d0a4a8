"""What a step of a recording means in millivolts, and how its leads are called."""

from __future__ import annotations

import re

from firstread.domain.errors import UnreadableSample

_IN_MV = {"v": 1000.0, "mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6}
_LEAD = re.compile(
    r"(?:(?:ECG|EKG|LEAD)[ _-]*)?"
    r"(?P<name>I{1,3}|AV[RLF]|V[1-9]R?|M?LI{1,3}|MV[1-6]|MCL[1-6]?|CM[1-6]|CC5|D[1-4]|E[SAI]{1,2}|[XYZ])",
    re.IGNORECASE,
)
_SPELT = {"AVR": "aVR", "AVL": "aVL", "AVF": "aVF"}


def in_millivolts(unit: str) -> float:
    """By what numbers in `unit` are multiplied; raises UnreadableSample where it is no voltage.

    >>> in_millivolts("uV")
    0.001
    """
    factor = _IN_MV.get(unit.strip().lower())
    if factor is None:
        raise UnreadableSample(
            f"The leads are in '{unit.strip()[:20]}', which is no voltage. Export the recording "
            "in mV or uV."
        )
    return factor


def lead_name(text: str, *, place: int) -> str:
    """The lead's own name where it is one; any other text may name a person, and is dropped.

    >>> lead_name("ECG II", place=1), lead_name("avf", place=1), lead_name("Jane Roe", place=3)
    ('II', 'aVF', 'lead 3')
    """
    found = _LEAD.fullmatch(text.strip().removesuffix("-REF"))
    if found is None:
        return f"lead {place}"
    name = found["name"].upper()
    return _SPELT.get(name, name)
