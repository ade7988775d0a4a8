"""What a step of a recording means in millivolts, and how its leads are called."""

from __future__ import annotations

import re

from firstread.domain.errors import UnreadableSample

_IN_MV = {"v": 1000.0, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_MICRO = re.compile("\u00c2\u00b5|\u00ce\u00bc|\u00a6\u00cc|\u0083\u00ca|[\u00b5\u03bc\u00e6]")
"""The micro sign, and what it looks like where UTF-8, GBK, Shift JIS or DOS is read as Latin-1."""
_SPELT_OUT = re.compile(r"(?P<size>milli|micro|mikro|nano|[mun])?[- ]?(?:volts?|v)")
_SIZES = {"milli": "m", "micro": "u", "mikro": "u", "nano": "n"}
_LEAD = re.compile(
    r"(?:(?:MDC_)?(?:ECG|EKG|LEAD|CHANNEL|ABLEITUNG|D[EÉ]RIVATION|DERIVACI[OÓ]N|DERIVAZIONE)"
    r"[ _:.-]*){0,3}"
    r"[(\[]?"
    r"(?P<name>I{1,3}|AV[RLF]|V[1-9]R?|M?LI{1,3}|MV[1-6]|MCL[1-6]?|CM[1-6]|CC5|D[1-4]|E[SAI]{1,2}|[XYZ])"
    r"[)\]]?",
    re.IGNORECASE,
)
_SPELT = {"AVR": "aVR", "AVL": "aVL", "AVF": "aVF"}


def factor_of(unit: str) -> float | None:
    """By what numbers in `unit` are multiplied to be millivolts; None where it is no voltage.

    >>> factor_of("uV"), factor_of("[microvolts]"), factor_of("mmHg")
    (0.001, 0.001, None)
    """
    text = _MICRO.sub("u", unit.strip().strip("[](){}'\"").strip()).lower()
    found = _SPELT_OUT.fullmatch(text)
    if found is None:
        return None
    size = found["size"] or ""
    return _IN_MV[_SIZES.get(size, size) + "v"]


def in_millivolts(unit: str) -> float:
    """As `factor_of`; raises UnreadableSample where it is no voltage.

    >>> in_millivolts("uV")
    0.001
    """
    factor = factor_of(unit)
    if factor is None:
        raise UnreadableSample(
            f"The leads are in {shown_unit(unit)}, which is no voltage. Export the recording "
            "in mV or uV."
        )
    return factor


def shown_unit(unit: str | None) -> str:
    """The unit as a sentence shows it."""
    text = "".join(each for each in unit or "" if each.isprintable()).strip()[:20]
    return f"'{text}'" if text else "no unit"


def is_lead(text: str) -> bool:
    """Whether a name says that a signal is a lead of an electrocardiogram.

    >>> is_lead("ECG1"), is_lead("Lead aVR"), is_lead("channel 3")
    (True, True, False)
    """
    plain = text.strip().upper()
    return plain.startswith(("ECG", "EKG", "ELECTROCARDIO")) or _name(text) is not None


def lead_name(text: str, *, place: int) -> str:
    """The lead's own name where it is one; any other text may name a person, and is dropped.

    >>> lead_name("ECG II", place=1), lead_name("avf", place=1), lead_name("Jane Roe", place=3)
    ('II', 'aVF', 'lead 3')
    """
    return _name(text) or f"lead {place}"


def _name(text: str) -> str | None:
    found = _LEAD.fullmatch(re.sub(r"[-_ ]REF$", "", text.strip(), flags=re.IGNORECASE))
    if found is None:
        return None
    name = found["name"].upper()
    return _SPELT.get(name, name)
