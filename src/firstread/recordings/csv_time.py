"""The sampling rate of a CSV file: from a column of time, or from what its head says.

A column of time is found by its numbers, whatever it is called: it rises evenly, as no lead does.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample

_LEAP = 4.0
"""Printed times are rounded, so that a step may be twice or thrice the usual one."""
_AGREE = 0.02
"""A stated rate and that of the times are the same where they differ by less than this share."""
_LOOKED_AT = 400
_LEAST_ROWS = 20
_PLAUSIBLE_HZ = (50.0, 10_000.0)
TIME = re.compile(
    r"(?:elapsed |sample |recording )?(?:time|times|seconds|t|timestamps?|datetime|zeit|zeitpunkt|"
    r"zeitstempel|uhrzeit|temps|tempo|tiempo|tijd|tid|czas|aika|idő|время|时间|時間)",
    re.IGNORECASE,
)
COUNTED = re.compile(r"(?:sample|index|#|nr|n)(?: ?(?:number|no\.?|#))?", re.IGNORECASE)
RATE = re.compile(
    r"(?:sampl\w*[ _-]*(?:rate|frequency|freq)|rate|frequency|freq|fs)[ _-]*"
    r"(?:[([]?(?P<unit>k?hz)[)\]]?)?\W{0,4}(?P<rate>\d+(?:[.,]\d+)?)\s*(?P<after>k?hz)?",
    re.IGNORECASE,
)
_HERTZ = re.compile(
    r"(?P<rate>\d+(?:[.,]\d+)?)\s*(?P<unit>k?hz|k?hertz|samples?(?: per |/)s(?:ec\w*)?|sps)\b",
    re.IGNORECASE,
)
_INTERVAL = re.compile(
    r"(?:interval|period|time[ _]step|dt)\W{0,4}(?P<step>\d+(?:[.,]\d+)?)\s*"
    r"(?P<unit>ms|s|sec|seconds|us|µs|μs)\b",
    re.IGNORECASE,
)
SECONDS = {
    "s": 1.0, "sec": 1.0, "seconds": 1.0, "second": 1.0, "ms": 1e-3, "msec": 1e-3,
    "milliseconds": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Axis:
    """How fast the samples of a CSV file come, and which of its columns say so."""

    rate_hz: float
    columns: tuple[int, ...]
    notes: tuple[str, ...] = ()


def axis_of(
    rows: str, *, mark: str, names: Sequence[str], units: Sequence[str], head: Sequence[str]
) -> Axis:
    """The rate of the rows, whose columns have these names and units below this head.

    Raises UnreadableSample where nothing says it, where times leap or do not rise, and where the
    head and a column contradict each other.
    """
    first = [line.split(mark) for line in rows.split("\n", _LOOKED_AT)[:_LOOKED_AT]]
    stated = stated_rate(head)
    timed = [place for place, name in enumerate(names) if TIME.fullmatch(name)]
    counted = [0] if COUNTED.fullmatch(names[0]) else []
    clocks = [place for place in range(len(names)) if _is_clock(first[0], place)]
    rest = [place for place in range(len(names)) if place not in (*timed, *clocks)]
    rising = [place for place in rest if _rises(first, rows, mark=mark, column=place)]
    columns = tuple(sorted({*timed, *counted, *clocks, *rising}))
    times = [*timed, *clocks]
    if not times and stated is None:
        # What counts by one says nothing of time.
        times = [place for place in rising if _step(first, place) != 1.0]
    if times:
        return _timed(rows, mark, times[0], units[times[0]], stated=stated, columns=columns)
    if stated is None:
        raise UnreadableSample(
            "The CSV file tells no time. Add a column 'time' in seconds, or a first line "
            "'Sampling rate: 360 Hz'."
        )
    for place in rising:
        if place not in counted:
            _refuse_other_rate(_step(first, place), stated)
    return Axis(rate_hz=stated, columns=columns)


def _rises(first: Sequence[Sequence[str]], rows: str, *, mark: str, column: int) -> bool:
    """Whether a column rises evenly: in the first rows, which costs little, and then in all."""
    return _rises_evenly(_column(first, column), least=_LEAST_ROWS) and _rises_evenly(
        _whole_column(rows, mark=mark, column=column), least=_LEAST_ROWS
    )


def stated_rate(head: Sequence[str]) -> float | None:
    """The rate that a head says, in hertz; None where it says none.

    >>> stated_rate(["Sampling rate: 360 Hz"]), stated_rate(["Sample interval: 4 ms"])
    (360.0, 250.0)
    """
    for line in head:
        if (found := RATE.search(line)) is not None:
            kilo = (found["unit"] or found["after"] or "").lower().startswith("k")
            return _decimal(found["rate"]) * (1000.0 if kilo else 1.0)
        if (found := _HERTZ.search(line)) is not None:
            return _decimal(found["rate"]) * (1000.0 if found["unit"][:1] in "kK" else 1.0)
        if (found := _INTERVAL.search(line)) is not None and _decimal(found["step"]) > 0:
            return 1.0 / (_decimal(found["step"]) * SECONDS[found["unit"].lower()])
    return None


def _decimal(text: str) -> float:
    return float(text.replace(",", "."))


def _timed(
    rows: str, mark: str, column: int, unit: str, *, stated: float | None, columns: tuple[int, ...]
) -> Axis:
    rate_hz, unsure = _rate_of_times(rows, mark=mark, column=column)
    notes: tuple[str, ...] = ()
    scale = SECONDS.get(unit.strip("[]() ").lower())
    if scale is None and stated is not None:
        fitting = [
            one
            for one in (1.0, 1e-3, 1e-6, 1e-9, rate_hz / stated)
            if _agree(rate_hz / one, stated)
        ]
        counts = _agree(rate_hz, 1.0)
        scale = fitting[0] if len(fitting) > 1 or counts else 1.0
    elif scale is None:
        low, high = _PLAUSIBLE_HZ
        scale = 1.0
        if not low <= rate_hz <= high and rate_hz < 1.0:
            for one, word in (
                (1e-3, "milliseconds"),
                (1e-6, "microseconds"),
                (1e-9, "nanoseconds"),
            ):
                if low <= rate_hz / one <= high:
                    scale = one
                    notes = (
                        f"The column of time names no unit: its numbers were taken as {word}.",
                    )
                    break
    rate_hz /= scale
    # Times are printed rounded: 360 samples a second must not become 359.9998.
    rate_hz = round(rate_hz) if abs(rate_hz - round(rate_hz)) < unsure * rate_hz else rate_hz
    if stated is not None and not _agree(rate_hz, stated):
        raise UnreadableSample(
            f"The head of the CSV file says {stated:g} samples a second, and its column of time "
            f"{rate_hz:.6g}. Export the recording again, or take out what is wrong."
        )
    return Axis(rate_hz=rate_hz, columns=columns, notes=notes)


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= _AGREE * other


def _refuse_other_rate(step: float, stated: float) -> None:
    """Raises UnreadableSample where a column rises otherwise than any time at the stated rate."""
    fits = (1.0, *(stated * one for one in (1.0, 1e-3, 1e-6, 1e-9)))
    if not any(_agree(step * each, 1.0) for each in fits):
        raise UnreadableSample(
            f"The head of the CSV file says {stated:g} samples a second, and a column rises by "
            f"{step:.6g} from row to row, which is no time at that rate. Export the recording "
            "again, or take out what is wrong."
        )


def _is_clock(cells: Sequence[str], place: int) -> bool:
    return place < len(cells) and ":" in cells[place]


def _column(rows: Sequence[Sequence[str]], place: int) -> NDArray[np.float64]:
    try:
        return np.array([float(cells[place]) for cells in rows], np.float64)
    except (ValueError, IndexError):
        return np.empty(0)


def _step(rows: Sequence[Sequence[str]], place: int) -> float:
    values = _column(rows, place)
    return float(values[-1] - values[0]) / (len(values) - 1)


def _rises_evenly(values: NDArray[np.float64], *, least: int) -> bool:
    """Whether numbers rise along a straight line, as finely as they are printed."""
    if len(values) < least or not np.isfinite(values).all():
        return False
    steps = np.diff(values)
    if steps.min() < 0 or np.count_nonzero(steps) < 3:
        return False
    line = np.linspace(values[0], values[-1], len(values))
    return bool(np.abs(values - line).max() <= 1.01 * steps.max())


def _whole_column(rows: str, *, mark: str, column: int) -> NDArray[np.float64]:
    try:
        return np.loadtxt(io.StringIO(rows), delimiter=mark, usecols=column, ndmin=1, comments=None)
    except ValueError:
        return np.empty(0)


def _rate_of_times(rows: str, *, mark: str, column: int) -> tuple[float, float]:
    """From the first time to the last, in what they are printed in; all between must be even.

    With it, by what share of it two times may be off that are rounded as they are printed.
    """
    count = rows.count("\n") + 1
    if count < 3:
        raise UnreadableSample("The recording has fewer than three samples. Send a longer one.")
    half = rows.find("\n", len(rows) // 2) + 1
    lines = [
        rows[: rows.find("\n")],
        rows[half : rows.find("\n", half)],
        rows[rows.rfind("\n") + 1 :],
    ]
    times = [_number(line.split(mark), column) for line in lines]
    place = rows.count("\n", 0, half)
    lasts = times[2] - times[0]
    if not (lasts > 0 and np.isfinite(lasts)):
        raise UnreadableSample("The column of time does not rise. Export the recording again.")
    rate = (count - 1) / lasts
    if abs((times[1] - times[0]) * rate - place) > max(2.0, 0.01 * count):
        raise UnreadableSample(
            "The samples of the CSV file do not come evenly in time. Export it without gaps."
        )
    _refuse_gaps(_whole_column(rows, mark=mark, column=column))
    digits = max(len(_digits(line.split(mark)[column])) for line in lines)
    return rate, min(0.002, max(1e-6, 10.0**-digits / lasts))


def _digits(cell: str) -> str:
    """What is printed behind the point."""
    found = re.search(r"\.(\d+)", cell)
    return "" if found is None else found[1]


def _refuse_gaps(times: NDArray[np.float64]) -> None:
    """Raises UnreadableSample where times leap or fall back: the rate and every beat behind would
    be wrong. Times of the clock are not looked at one by one."""
    steps = np.diff(times[np.isfinite(times)])
    if not len(steps):
        return
    if steps.min(initial=0.0) < 0:
        raise UnreadableSample("The column of time does not rise. Export the recording again.")
    usual = float(np.median(steps))  # 0 where times are printed more coarsely than samples come
    if usual > 0 and steps.max() > _LEAP * usual:
        raise UnreadableSample(
            "The samples of the CSV file do not come evenly in time. Export it without gaps."
        )


def _number(cells: Sequence[str], column: int) -> float:
    """A time as a number: seconds of the clock, or the number that is printed."""
    text = cells[column].strip().strip("'\"[]") if column < len(cells) else ""
    total = 0.0
    try:
        if ":" not in text:
            return float(text)
        if "-" in text:
            return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()
        clock = next(word for word in text.split(" ") if ":" in word)
        for part in clock.split(":"):
            total = 60 * total + float(part)
    except ValueError:
        raise UnreadableSample(
            "The column of time holds something else. Give seconds, or hours:minutes:seconds."
        ) from None
    return total
