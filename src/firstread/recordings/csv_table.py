"""A table of samples in CSV: a column a lead, with a column of time or a sampling rate."""

from __future__ import annotations

import io
import re
from functools import partial

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import UnreadableSample
from firstread.recordings.csv_time import RATE, SECONDS, axis_of
from firstread.recordings.recording import MAX_LEADS, Recording
from firstread.recordings.signals import Signal, leads_among
from firstread.recordings.units import factor_of, in_millivolts, shown_unit
from firstread.recordings.whole import refuse_too_many, whole_recording

MAX_BYTES = 400_000_000
_NO_UNIT = "The CSV file names no unit: its numbers were taken as millivolts."
_OTHER_UNITS = frozenset(
    ("-", "#", "n/a", "na", "none", "adu", "adc", "a.u.", "au", "nu", "counts", "mmhg", "kpa", "%",
     "bpm", "1/min", "g", "m/s2", "m/s^2", "m/s²", "°c", "ohm", "l/min", "l/s", "deg/s")
)  # fmt: skip
_PLAUSIBLE_MV = 50.0
"""No heart reaches that at the skin: larger numbers are in another unit."""
_UNIT_LINE = re.compile(
    r"\W*(?:y[ -]?|signal |data )?(?:units?|einheit(?:en)?|unités?|unidad(?:es)?|unità|eenheid|"
    r"enhet|jednostka|единицы|单位|単位)\W{1,4}(?P<unit>[^\s,;]{1,14})\W*",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"[\d/.-]*[ T]?\d{1,3}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:[ Z+\d/.:-]*)")
_NAMED = re.compile(
    r"(?P<name>[^([]*?)(?:[ _/]+(?:in[ _]+)?)(?P<unit>mv|uv|[µμæ]v|nv|v|ms|s|sec|seconds)",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"(?P<name>.*?)\s*[([](?P<unit>[^)\]]{1,12})[)\]]")


def open_csv(data: bytes) -> Recording:
    """The recording that a CSV file holds.

    A head may come first: lines with the sampling rate ("Sampling rate: 360 Hz"), then the names
    of the columns, with their units ("II (mV)") or with a line of units below. Without a unit the
    numbers are taken as millivolts. Raises UnreadableSample where it is no such table.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableSample("The CSV file is too large. Send the recording as EDF or WFDB.")
    text = _text_of(data).replace("\r\n", "\n").replace("\r", "\n")
    head, rows = _parted(text)
    first = rows.partition("\n")[0]
    mark = _separator(first)
    if mark in ";\t":
        rows = rows.replace(",", ".")
    count = first.count(mark) + 1
    if count > MAX_LEADS + 1:
        raise UnreadableSample(f"The CSV file has {count} columns. Send at most {MAX_LEADS} leads.")
    names, units = _columns(head, mark=mark, count=count)
    axis = axis_of(rows, mark=mark, names=names, units=units, head=head)
    columns = [column for column in range(count) if column not in axis.columns]
    if not columns:
        raise UnreadableSample("The CSV file holds no column with a lead. Export it again.")
    own = _with_unit_line(head, [units[column] for column in columns])
    found = leads_among(
        [
            Signal(name=names[column], unit=unit or None)
            for column, unit in zip(columns, own, strict=True)
        ],
        file="CSV file",
    )
    leads = [columns[place] for place in found.places]
    refuse_too_many((rows.count("\n") + 1) * len(leads))
    signal = _numbers(rows, mark=mark, columns=leads)
    scaled = [own[place] for place in found.places]
    _scale(signal, scaled)
    return whole_recording(
        signal,
        rate_hz=axis.rate_hz,
        names=[names[column] for column in leads],
        notes=(*found.notes, *axis.notes, *([] if all(scaled) else [_NO_UNIT])),
    )


def _text_of(data: bytes) -> str:
    """UTF-8, what a spreadsheet calls Unicode, or else Latin-1, in which every byte is a letter."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _with_unit_line(head: list[str], units: list[str]) -> list[str]:
    """The units of the columns, filled in by a line of the head that names one for all."""
    found = [match["unit"] for line in head if (match := _UNIT_LINE.fullmatch(line))]
    found += [line.strip("# ") for line in head if factor_of(line.strip("# ")) is not None]
    if not found:
        return units
    own = {factor_of(unit) for unit in units if unit} - {None}
    if len({factor_of(unit) for unit in found} | own) > 1:
        named = " and ".join(dict.fromkeys(shown_unit(one) for one in (*found, *units) if one))
        raise UnreadableSample(
            f"The CSV file names different units for the same numbers, {named}. Take out the "
            "wrong one."
        )
    return [unit or found[0] for unit in units]


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
    plain = cell.strip("'\"[]")
    if plain.replace(":", "").replace(".", "").isdigit() or _CLOCK.fullmatch(plain):
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
        cells for cells in tables if len(cells) == count and not RATE.search(mark.join(cells))
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
    plain = cell.strip("[]() ").lower()
    return (
        plain in {"", *SECONDS, *_OTHER_UNITS}
        or plain.startswith("hh:")
        or factor_of(plain) is not None
    )


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
