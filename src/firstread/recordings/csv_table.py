"""A table of samples in CSV: a column a lead, with a column of time or a sampling rate."""

from __future__ import annotations

import io
import re
from functools import partial

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample
from firstread.recordings.recording import MAX_LEADS, Recording
from firstread.recordings.units import in_millivolts
from firstread.recordings.whole import refuse_too_many, whole_recording

MAX_BYTES = 400_000_000
_LEAP = 4.0
"""Printed times are rounded, so that a step may be twice or thrice the usual one."""
_PLAUSIBLE_MV = 50.0
"""No heart reaches that at the skin: larger numbers are in another unit."""
_TIME = re.compile(r"(?:elapsed |sample )?(?:time|seconds|t)", re.IGNORECASE)
_COUNTED = re.compile(r"(?:sample|index|#|nr|n)(?: ?(?:number|no\.?|#))?", re.IGNORECASE)
_RATE = re.compile(
    r"(?:sampl\w*[ _-]*(?:rate|frequency|freq)|rate|frequency|freq|fs)[ _-]*"
    r"(?:[([]?(?P<unit>hz)[)\]]?)?\W{0,4}(?P<rate>\d+(?:[.,]\d+)?)\s*(?:hz)?",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?P<name>[^([]*?)[ _]*(?:[([]?(?P<unit>mv|uv|µv|μv|nv|v|ms|s|sec|seconds)[)\]]?)"
)
_BRACKET = re.compile(r"(?P<name>.*?)\s*[([](?P<unit>[^)\]]{1,12})[)\]]")
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "milliseconds": 1e-3}


def open_csv(data: bytes) -> Recording:
    """The recording that a CSV file holds.

    A head may come first: lines with the sampling rate ("Sampling rate: 360 Hz"), then the names
    of the columns, with their units ("II (mV)") or with a line of units below. Without a unit the
    numbers are taken as millivolts. Raises UnreadableSample where it is no such table.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableSample("The CSV file is too large. Send the recording as EDF or WFDB.")
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    head, rows = _parted(text)
    first = rows.partition("\n")[0]
    mark = _separator(first)
    if mark in ";\t":
        rows = rows.replace(",", ".")
    count = first.count(mark) + 1
    if count > MAX_LEADS + 1:
        raise UnreadableSample(f"The CSV file has {count} columns. Send at most {MAX_LEADS} leads.")
    names, units = _columns(head, mark=mark, count=count)
    timed = bool(_TIME.fullmatch(names[0]))
    counted = not timed and bool(_COUNTED.fullmatch(names[0]))
    leads = list(range(1 if timed or counted else 0, count))
    if not leads:
        raise UnreadableSample("The CSV file holds no column with a lead. Export it again.")
    refuse_too_many((rows.count("\n") + 1) * len(leads))
    signal = _numbers(rows, mark=mark, columns=leads)
    rate_hz = (
        _rate_of_times(rows, mark=mark, unit=units[0], count=signal.shape[1])
        if timed
        else _stated_rate(head)
    )
    _scale(signal, [units[column] for column in leads])
    return whole_recording(signal, rate_hz=rate_hz, names=[names[column] for column in leads])


def _parted(text: str) -> tuple[list[str], str]:
    """The lines before the first that is made of numbers, and all from that one on."""
    head: list[str] = []
    place = 0
    for _ in range(40):
        end = text.find("\n", place)
        line = text[place : end if end >= 0 else len(text)]
        if _is_row(line):
            return head, text[place:].rstrip("\n")
        head.append(line.strip())
        if end < 0:
            break
        place = end + 1
    raise UnreadableSample(
        "This is no CSV file with a lead in each column. Send one row for each sample, and the "
        "names of the columns in the first line."
    )


def _is_row(line: str) -> bool:
    cells = [
        cell.strip() for cell in re.split(r"[;\t]" if re.search(r"[;\t]", line) else ",", line)
    ]
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(_is_value(cell) for cell in filled)


def _is_value(cell: str) -> bool:
    if cell.strip("'\"[]").replace(":", "").replace(".", "").isdigit():
        return True
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return cell in {"-", "?"}
    return True


def _separator(line: str) -> str:
    # A comma beside a semicolon is the decimal sign of half of Europe.
    return next((mark for mark in ";\t" if mark in line), ",")


def _columns(head: list[str], *, mark: str, count: int) -> tuple[list[str], list[str]]:
    """Names and units of the columns; empty where the head does not tell."""
    tables = [
        [cell.strip().strip("'\"").strip() for cell in line.lstrip("#").split(mark)]
        for line in head
        if line
    ]
    tables = [
        cells for cells in tables if len(cells) == count and not _RATE.search(mark.join(cells))
    ]
    names, units = [""] * count, [""] * count
    if not tables:
        return names, units
    own = tables[-1]
    if len(tables) > 1 and all(_is_unit(cell) for cell in own):
        units, own = [cell.strip("[]()") for cell in own], tables[-2]
    for place, cell in enumerate(own):
        found = _BRACKET.fullmatch(cell) or _NAMED.fullmatch(cell)
        if found and found["name"].strip(" _"):
            names[place], units[place] = found["name"].strip(" _"), found["unit"]
        else:
            names[place] = cell
    return names, units


def _is_unit(cell: str) -> bool:
    plain = cell.strip("[]()").lower()
    return plain in {"", *_SECONDS, "mv", "uv", "µv", "μv", "v", "nv"} or plain.startswith("hh:")


def _numbers(rows: str, *, mark: str, columns: list[int]) -> NDArray[np.float32]:
    load = partial(
        np.loadtxt, dtype=np.float32, delimiter=mark, usecols=columns, ndmin=2, comments=None
    )
    try:
        try:
            found = load(io.StringIO(rows))
        except ValueError:  # most files have no empty cell, and looking for them takes long
            found = load(io.StringIO(_filled(rows, mark=mark)))
    except ValueError:
        raise UnreadableSample(
            "A row of the CSV file is not made of numbers, or is cut short. Export it again."
        ) from None
    return np.ascontiguousarray(found.T)


def _filled(rows: str, *, mark: str) -> str:
    """The rows with 'nan' in cells that are empty, or '-' or '?': what was not measured."""
    edge = re.escape(mark)
    return re.sub(rf"(?m)(?:(?<=^)|(?<={edge}))[ \"]*[-?]?[ \"]*(?={edge}|$)", "nan", rows)


def _rate_of_times(rows: str, *, mark: str, unit: str, count: int) -> float:
    """From the first time to the last; what comes between must be even."""
    if count < 3:
        raise UnreadableSample("The recording has fewer than three samples. Send a longer one.")
    half = rows.find("\n", len(rows) // 2) + 1
    lines = [
        rows[: rows.find("\n")],
        rows[half : rows.find("\n", half)],
        rows[rows.rfind("\n") + 1 :],
    ]
    times = [_seconds(line.split(mark)[0], unit=unit) for line in lines]
    place = rows.count("\n", 0, half)
    lasts_s = times[2] - times[0]
    if not (lasts_s > 0 and np.isfinite(lasts_s)):
        raise UnreadableSample("The column of time does not rise. Export the recording again.")
    rate_hz = (count - 1) / lasts_s
    if abs((times[1] - times[0]) * rate_hz - place) > max(2.0, 0.01 * count):
        raise UnreadableSample(
            "The samples of the CSV file do not come evenly in time. Export it without gaps."
        )
    _refuse_gaps(rows, mark=mark)
    # Times are printed rounded: 360 samples a second must not become 359.9998.
    return round(rate_hz) if abs(rate_hz - round(rate_hz)) < 0.002 * rate_hz else rate_hz


def _refuse_gaps(rows: str, *, mark: str) -> None:
    """Raises UnreadableSample where times leap or fall back: the rate and every beat behind would
    be wrong. Times of the clock are not looked at one by one."""
    try:
        times = np.loadtxt(io.StringIO(rows), delimiter=mark, usecols=0, ndmin=1, comments=None)
    except ValueError:
        return
    steps = np.diff(times[np.isfinite(times)])
    if steps.min(initial=0.0) < 0:
        raise UnreadableSample("The column of time does not rise. Export the recording again.")
    usual = float(np.median(steps))  # 0 where times are printed more coarsely than samples come
    if usual > 0 and steps.max() > _LEAP * usual:
        raise UnreadableSample(
            "The samples of the CSV file do not come evenly in time. Export it without gaps."
        )


def _seconds(cell: str, *, unit: str) -> float:
    text = cell.strip().strip("'\"[]").split(" ")[0]
    total = 0.0
    try:
        for part in text.split(":"):
            total = 60 * total + float(part)
    except ValueError:
        raise UnreadableSample(
            "The column of time holds something else. Give seconds, or hours:minutes:seconds."
        ) from None
    return total * _SECONDS.get(unit.lower(), 1.0)


def _stated_rate(head: list[str]) -> float:
    for line in head:
        found = _RATE.search(line)
        if found:
            return float(found["rate"].replace(",", "."))
    raise UnreadableSample(
        "The CSV file tells no time. Add a column 'time' in seconds, or a first line "
        "'Sampling rate: 360 Hz'."
    )


def _scale(signal: NDArray[np.float32], units: list[str]) -> None:
    """Turn each row into millivolts; raises UnreadableSample where its numbers can be none."""
    for row, unit in enumerate(units):
        if unit:
            with np.errstate(over="ignore"):  # what overflows was no voltage, and becomes a gap
                signal[row] *= in_millivolts(unit)
        elif float(np.nanmax(np.abs(signal[row]), initial=0.0)) > _PLAUSIBLE_MV:
            raise UnreadableSample(
                "The numbers of the CSV file are too large for millivolts. Name the unit of each "
                "column, such as 'II (uV)'."
            )
