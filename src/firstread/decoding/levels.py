"""Numbers of more than eight bits become levels from 0 to 255, by one rule for their range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]

_TOPS = (255, 1023, 4095, 16383, 65535)
"""The brightest value of 8, 10, 12, 14 and 16 bits: what cameras and scanners have."""
_STEPS = (4, 16, 64, 256, 257)
"""By what eight bits are multiplied where they are kept in 10, 12, 14 or 16."""
_MADE_OF_EIGHT = 8
"""Fewer levels than these may lie on such steps by chance."""
_FILLED = 0.75
"""A grey picture that leaves more of its range empty has no range of its own."""
_LONE = 5000
"""One pixel in so many, and three of any but a tiny picture, may lie far off and not count."""
_PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Range:
    """What becomes 0 and what becomes 255."""

    low: float
    high: float
    note: str = ""
    """How it was found, as a sentence; '' where there was nothing to choose."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Between what the numbers lie, without the few that lie far from all others."""

    darkest: float
    brightest: float
    lone: int
    """How many were left out above."""
    steps: NDArray[np.int64]
    """The values that occur, where they are whole numbers of 16 bits; else none."""


def range_of(
    numbers: Numbers, *, stated: tuple[float, float] | None = None, colour: bool = False
) -> Range:
    """The range of numbers that may be of any size.

    What the file states counts, where all lies within it. Eight bits that were multiplied become
    what they were. Whole numbers that fill three quarters of 8, 10, 12, 14 or 16 bits, and
    fractions that fill three quarters of 1, begin at 0 and end there. Of colours the least of
    these that holds them is taken. All else is stretched from the darkest to the brightest.

    >>> range_of(np.array([[0, 4080, 65535]], dtype=np.uint16)).high
    65535
    """
    spread = spread_of(numbers)
    low, high = spread.darkest, spread.brightest
    passed_over = ""
    if stated is not None:
        if stated[0] < stated[1] and stated[0] <= low and high <= stated[1]:
            return Range(low=stated[0], high=stated[1])
        passed_over = (
            f"The range that it states, {stated[0]:g} to {stated[1]:g}, does not hold its values "
            f"of {low:g} to {high:g}, and was passed over. "
        )
    found = _found(numbers, spread, colour=colour)
    lone = f"{spread.lone} far brighter pixels are shown as white. " if spread.lone else ""
    return Range(low=found.low, high=found.high, note=(passed_over + found.note + lone).strip())


def _found(numbers: Numbers, spread: Spread, *, colour: bool) -> Range:
    low, high = spread.darkest, spread.brightest
    if low >= 0:
        step = _step_of_eight_bits(spread)
        if step:
            told = "" if step > 255 else f"Its eight bits were kept as multiples of {step}. "
            return Range(low=0, high=255 * step, note=told)
        top = _top(numbers, high)
        if top is not None and (colour or high >= _FILLED * top):
            full = top >= np.iinfo(np.uint16).max
            return Range(low=0, high=top, note="" if full else f"Its values end at {top:g}. ")
    return Range(
        low=low,
        high=high,
        note=f"Its values were stretched from {low:g} to {high:g}, for the file states no range. ",
    )


def _top(numbers: Numbers, high: float) -> float | None:
    if numbers.dtype.kind == "f" and high <= 1:
        return 1
    if numbers.dtype == np.uint32 and high > _TOPS[-1]:
        return float(np.iinfo(np.uint32).max)
    return next((top for top in _TOPS if high <= top), None)


def _step_of_eight_bits(spread: Spread) -> int:
    """What eight bits were multiplied by, or 0 where these numbers are no such ones."""
    held = spread.steps
    if len(held) < _MADE_OF_EIGHT:
        return 0
    fits = [
        step
        for step in _STEPS
        if spread.brightest <= 255 * step and not np.any(held % step)
    ]  # fmt: skip
    return min(fits, default=0)  # the least leaves the least of the range empty


def spread_of(numbers: Numbers) -> Spread:
    """Between what the numbers lie; those that are none do not count."""
    few = min(max(3, numbers.size // _LONE), numbers.size // 200)
    if numbers.dtype.kind in "iu":
        least, most = int(numbers.min(initial=0)), int(numbers.max(initial=0))
        if most - min(least, 0) <= np.iinfo(np.uint16).max:
            return _spread_of_counts(_counts(numbers, least=min(least, 0)), min(least, 0), few)
    flat = numbers[np.isfinite(numbers)] if numbers.dtype.kind == "f" else numbers.ravel()
    if not flat.size:
        return Spread(darkest=0, brightest=0, lone=0, steps=np.zeros(0, dtype=np.int64))
    few = min(few, (flat.size - 1) // 2)
    ordered = np.partition(flat, [few, flat.size - 1 - few])
    first, last = float(ordered[few]), float(ordered[flat.size - 1 - few])
    lowest, highest = _bounds(first, last, from_zero=bool(flat.min() >= 0))
    inside = flat[(flat >= lowest) & (flat <= highest)]
    return Spread(
        darkest=float(inside.min()),
        brightest=float(inside.max()),
        lone=int(np.count_nonzero(flat > highest)),
        steps=np.zeros(0, dtype=np.int64),
    )


def _spread_of_counts(counts: NDArray[np.int64], least: int, few: int) -> Spread:
    """As `spread_of`, of how often each whole number from `least` on occurs."""
    held = np.flatnonzero(counts)
    upto = np.cumsum(counts[held])
    few = min(few, int(upto[-1] - 1) // 2)
    first = float(held[np.searchsorted(upto, few, side="right")] + least)
    last = float(held[np.searchsorted(upto, upto[-1] - few, side="left")] + least)
    values = held + least
    lowest, highest = _bounds(first, last, from_zero=least >= 0)
    inside = values[(values >= lowest) & (values <= highest)]
    lone = int(counts[values[values > highest] - least].sum())
    return Spread(
        darkest=float(inside[0]), brightest=float(inside[-1]), lone=lone, steps=inside
    )  # fmt: skip


def _bounds(first: float, last: float, *, from_zero: bool) -> tuple[float, float]:
    """What lies beyond these lies far from all that is between `first` and `last`."""
    if first >= last:
        return -np.inf, np.inf  # one value nearly everywhere: what differs is the picture
    reach = (last - min(first, 0.0) if from_zero else last - first) / 2
    return (-np.inf if from_zero else first - reach), last + reach


def _counts(numbers: Numbers, *, least: int) -> NDArray[np.int64]:
    """How often each whole number from `least` on occurs; piece by piece, for memory's sake."""
    flat = numbers.ravel()
    counts = np.zeros(1 << 16, dtype=np.int64)
    for at in range(0, flat.size, _PIECE):
        counts += np.bincount(flat[at : at + _PIECE].astype(np.int64) - least, minlength=1 << 16)
    return counts


def to_levels(
    numbers: Numbers, given: Range, *, white_is_low: bool = False, exponent: float = 1.0
) -> NDArray[np.uint8]:
    """The numbers as levels from 0 to 255, each raised to `exponent` between 0 and 1.

    >>> to_levels(np.array([0, 2048, 4095], dtype=np.uint16), Range(low=0, high=4095)).tolist()
    [0, 128, 255]
    """
    if numbers.dtype == np.uint16:
        every = np.arange(1 << 16, dtype=np.float64)
        table = _levels(every, given, white_is_low=white_is_low, exponent=exponent)
        return np.asarray(table[numbers])
    levels = np.empty(numbers.shape, dtype=np.uint8)
    flat, into = numbers.reshape(-1), levels.reshape(-1)
    for at in range(0, flat.size, _PIECE):
        piece = np.nan_to_num(flat[at : at + _PIECE].astype(np.float64), nan=given.low)
        into[at : at + _PIECE] = _levels(piece, given, white_is_low=white_is_low, exponent=exponent)
    return levels  # fmt: skip


def _levels(
    values: NDArray[np.float64], given: Range, *, white_is_low: bool, exponent: float
) -> NDArray[np.uint8]:
    if given.high <= given.low:
        return np.zeros(values.shape, dtype=np.uint8)
    shares = ((values - given.low) / (given.high - given.low)).clip(0, 1)
    if white_is_low:
        shares = 1 - shares
    if exponent != 1.0:
        shares **= exponent
    return np.asarray(shares * 255 + 0.5, dtype=np.uint8)
