"""Which signals of a file are leads of the heart; what else lies there is left out by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from firstread.domain.errors import UnreadableSample
from firstread.recordings.units import factor_of, is_lead, shown_unit

_KNOWN = (
    "ABP AOP ART BP CVP DIA FAP IBP ICP LAP LVP MAP MBP NBP NIBP PAP RAP RVP SYS UAP UVP DRUCK "
    "PLE PLETH PPG PULSE PULS SPO2 SAO2 HR BPM "
    "RESP RSP RIP AIRFLOW FLOW NASAL CANNULA SNORE THX THORAX ABD ABDO ABDOMEN CO2 ETCO2 CAP EDR "
    "ACC ACCX ACCY ACCZ ACCEL GYRO GYRX GYRY GYRZ MAG MOTION ACTIVITY BODY POS STEPS "
    "EEG EMG EOG LOC ROC CHIN LEG PCG PHONO SCG BCG MIC SOUND EDA GSR SKT TEMP LIGHT "
    "MARK MARKER EVENT TRIG TRIGGER STATUS LABEL QUALITY SQI BATT BATTERY COUNTER"
)
_WORDS = frozenset(_KNOWN.split())
_BEGINNINGS = (
    "ACCEL", "PLETH", "RESP", "BREATH", "PRESS", "TEMPER", "GYRO", "IMPED", "THORA", "ABDOM",
    "OXI", "CAPNO", "ANNOT", "TRIGG", "EVENT", "BATTER", "POSITION", "MAGNETO", "PHOTOPL",
    "BLUTDR", "ATEM", "SPO2", "SAO2",
)  # fmt: skip
_SCALP = re.compile(
    r"(?:FP[12Z]|A?F[1-8Z]|F?C[1-6Z]|T[3-8]|C?P[1-6Z]|O[12Z]|PZ|CZ)[ _-]*"
    r"(?:A[12]|M[12]|LE|AVG?|A1A2|M1M2)",
    re.IGNORECASE,
)
"""A place of the 10-20 system of the electroencephalogram against an ear, a mastoid or the mean."""
_FRANK = ("X", "Y", "Z")


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What a file says of one of its signals."""

    name: str
    unit: str | None
    """None where the file has no place for it, or has left it empty."""
    rate_hz: float = 0.0
    """Compared with that of the others; 0 where all have the same."""


@dataclass(frozen=True, kw_only=True)
class Leads:
    """The places of the leads among the signals, and a sentence for each sort of what is not."""

    places: tuple[int, ...]
    notes: tuple[str, ...]


def leads_among(signals: Sequence[Signal], *, file: str, unnamed: bool = True) -> Leads:
    """The leads of the electrocardiogram among the signals of a file.

    What is called by another name (ABP, RESP, PLETH) is none, also where it claims to be a
    voltage, nor is what is no voltage. Signals in volts whose name says nothing are leads where
    `unnamed`, or where none is named. Raises UnreadableSample where there is none; `file` is what
    the file is called then.

    >>> found = leads_among(
    ...     [Signal(name="II", unit="mV"), Signal(name="ABP", unit="mmHg")], file="record"
    ... )
    >>> found.places, found.notes
    ((0,), ('ABP is no ECG lead and was left out.',))
    """
    others = [other_name(each.name) for each in signals]
    volts = [each.unit is None or factor_of(each.unit) is not None for each in signals]
    may_be = [place for place in range(len(signals)) if volts[place] and not others[place]]
    named = [place for place in may_be if is_lead(signals[place].name)]
    for place in _movements(signals, named):
        others[place] = signals[place].name.strip().upper()
    named = [place for place in named if not others[place]]
    plain = [place for place in may_be if not others[place]]
    kept = plain if unnamed or not named else named
    if not kept:
        raise UnreadableSample(_none(signals, others, file=file))
    left = [place for place in range(len(signals)) if place not in kept]
    return Leads(places=tuple(kept), notes=tuple(_notes(signals, others, left)))


def _movements(signals: Sequence[Signal], named: Sequence[int]) -> list[int]:
    """Without a unit x, y and z beside a lead may as well be those of a movement."""
    if all(_is_frank(signals[place]) for place in named):
        return []
    return [place for place, each in enumerate(signals) if each.unit is None and _is_frank(each)]


def _is_frank(signal: Signal) -> bool:
    return signal.name.strip().upper() in _FRANK


def other_name(name: str) -> str:
    """What a signal that is no lead is called, of words that are known; empty where it may be one.

    >>> other_name("ECG II"), other_name("Pleth (left)"), other_name("EEG C3-A2")
    ('', 'PLETH', 'EEG')
    """
    if _SCALP.fullmatch(name.strip()):
        return "EEG"
    words: list[str] = re.findall(r"[^\W_]+", name.upper())
    for word in words:
        if word in _WORDS or word.rstrip("0123456789") in _WORDS:
            return word
        if word.startswith(_BEGINNINGS):
            return word[:20]
    return ""


def listed(words: Sequence[str]) -> str:
    """The words as a sentence has them, each once.

    >>> listed(["ABP", "RESP", "ABP", "CVP"])
    'ABP, RESP and CVP'
    """
    once = list(dict.fromkeys(words))
    return once[0] if len(once) == 1 else f"{', '.join(once[:-1])} and {once[-1]}"


def _notes(signals: Sequence[Signal], others: Sequence[str], left: Sequence[int]) -> list[str]:
    told = []
    words = [others[place] for place in left if others[place]]
    if words:
        one = len(set(words)) == 1
        told.append(
            f"{listed(words)} {'is no ECG lead and was' if one else 'are no ECG leads and were'} "
            "left out."
        )
    rest = [place for place in left if not others[place]]
    odd = [place for place in rest if factor_of(signals[place].unit or "mV") is None]
    if odd:
        units = [shown_unit(signals[place].unit) for place in odd]
        what = "A signal" if len(odd) == 1 else f"{len(odd)} signals"
        told.append(f"{what} in {listed(units)}, which is no voltage, {_was(odd)} left out.")
    unnamed = [place for place in rest if place not in odd]
    if unnamed:
        what = "A signal that is" if len(unnamed) == 1 else f"{len(unnamed)} signals that are"
        told.append(
            f"{what} not named as ECG leads {_was(unnamed)} left out.".replace(
                "is not named as ECG leads", "is not named as an ECG lead"
            )
        )
    return told


def _was(places: Sequence[int]) -> str:
    return "was" if len(places) == 1 else "were"


def _none(signals: Sequence[Signal], others: Sequence[str], *, file: str) -> str:
    leads = [each for each, other in zip(signals, others, strict=True) if not other and each.unit]
    if leads:
        units = listed([shown_unit(each.unit) for each in leads])
        return f"The leads are in {units}, which is no voltage. Export the recording in mV or uV."
    words = [other for other in others if other]
    if words:
        return (
            f"The {file} holds no electrocardiogram: {listed(words)} "
            f"{'is no ECG lead' if len(set(words)) == 1 else 'are no ECG leads'}. Send one with "
            "leads such as 'ECG II'."
        )
    return f"The {file} holds no electrocardiogram. Send one with leads such as 'ECG II'."
