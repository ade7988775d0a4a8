"""Rows of measurements: from JSON, checked against what a pack takes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from firstread.domain.errors import BadMeasurement, UnreadableSample
from firstread.domain.read import Contribution
from firstread.packs import Measurement
from firstread.tables.measurements import MISSING, json_row, json_rows
from firstread.tables.numbers import number_of

Given = Mapping[str, float | str | None]
"""A row of measurements by their codes."""


def measurements_as_bytes(values: Given) -> bytes:
    """The one JSON text of a row of measurements, whose SHA-256 names the sample.

    A missing value is left out, so that None, '?' and absence make the same sample. Raises
    BadMeasurement where a value is no number.

    >>> measurements_as_bytes({"b": 2, "a": None, "c": "?"})
    b'{"b":2.0}'
    """
    plain = {
        code: _number(value, field=code)
        for code, value in values.items()
        if value is not None and not _is_missing(value)
    }
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def measurements_of(data: bytes, *, measurements: tuple[Measurement, ...]) -> Given:
    """The row that JSON bytes hold; raises UnreadableSample where they hold none."""
    rows = json_rows(data)
    if len(rows) != 1:
        raise UnreadableSample("This holds several rows of measurements. Send them one by one.")
    return json_row(rows[0], line=1, measured={each.code for each in measurements}).values


def as_array(values: Given, *, measurements: tuple[Measurement, ...]) -> NDArray[np.float32]:
    """The row as float32 [F] in the order of the pack, NaN where missing.

    Raises BadMeasurement, which names the field, where a value is missing and may not be, is not a
    number, out of range, or not asked for.
    """
    known = {each.code for each in measurements}
    for code in values:
        if code not in known:
            raise BadMeasurement(
                f"'{str(code)[:60]}' is no measurement of this check. It takes: "
                f"{', '.join(each.code for each in measurements)}.",
                field=str(code),
            )
    row = [_checked(values.get(each.code), measurement=each) for each in measurements]
    return np.array(row, dtype=np.float32)


def contributions_of(
    row: NDArray[np.float32], parts: NDArray[np.float32], *, measurements: tuple[Measurement, ...]
) -> tuple[Contribution, ...]:
    """What each measurement of `row` [F] adds to each logit: the columns of `parts` [K, F].

    >>> age = Measurement(code="age", title="Age", help="", unit="years", minimum=0, maximum=120,
    ...     may_be_missing=False)
    >>> row, parts = np.array([40], np.float32), np.array([[-0.5], [0.5]], np.float32)
    >>> contributions_of(row, parts, measurements=(age,))
    (Contribution(measurement='age', value=40.0, logits=(-0.5, 0.5)),)
    """
    return tuple(
        Contribution(
            measurement=measurement.code,
            value=None if np.isnan(value) else float(value),
            logits=tuple(parts[:, place].astype(float).tolist()),
        )
        for place, (measurement, value) in enumerate(zip(measurements, row, strict=True))
    )


def _checked(value: float | str | None, *, measurement: Measurement) -> float:
    name = f"{measurement.title} ({measurement.code})"
    bounds = f"{measurement.minimum:g} to {measurement.maximum:g}"
    if value is None or _is_missing(value):
        if measurement.may_be_missing:
            return math.nan
        raise BadMeasurement(
            f"{name} is missing. Give a number from {bounds}.", field=measurement.code
        )
    number = _number(value, field=measurement.code, name=name)
    if not measurement.minimum <= number <= measurement.maximum:
        raise BadMeasurement(
            f"{name} must lie between {measurement.minimum:g} and {measurement.maximum:g}, "
            f"not {number:g}.",
            field=measurement.code,
        )
    return number


def _is_missing(value: float | str) -> bool:
    return isinstance(value, str) and value.strip().lower() in MISSING


def _number(value: float | str, *, field: str, name: str | None = None) -> float:
    try:
        number = number_of(value.strip()) if isinstance(value, str) else float(value)
        if isinstance(value, bool):  # float() takes True; nobody measured that
            number = math.nan
    except BadMeasurement as error:
        raise BadMeasurement(f"{name or field}: {error}", field=field) from None
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        shown = repr(value)[:40]
        raise BadMeasurement(f"{name or field} must be a number, not {shown}.", field=field)
    return number
