"""Numbers of any range become the levels that eight bits of the same picture have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from firstread.decoding.levels import range_of, to_levels

RNG = np.random.default_rng(7)


def _chest() -> np.ndarray[Any, Any]:
    """A bright picture that fills its range, as an X-ray."""
    down, across = np.mgrid[0:160, 0:140]
    shade = 40 + 190 * np.exp(-(((down - 80) / 60) ** 2 + ((across - 70) / 50) ** 2))
    return (shade + RNG.normal(0, 6, shade.shape)).clip(0, 250).astype(np.uint8)


def _slice() -> np.ndarray[Any, Any]:
    """A dark picture with a bright rim, most of it nothing, as a slice of a head."""
    down, across = np.mgrid[0:160, 0:160]
    away = np.hypot(down - 80, across - 80)
    shade = np.where(away < 55, 70, 0) + np.where(abs(away - 58) < 3, 235, 0)
    return (shade + (shade > 0) * RNG.normal(0, 8, shade.shape)).clip(0, 255).astype(np.uint8)


PICTURES = {"chest": _chest(), "slice": _slice()}
KEPT: dict[str, Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]] = {
    "times 257": lambda v: v.astype(np.uint16) * 257,
    "shifted by 8": lambda v: v.astype(np.uint16) << 8,
    "12 of 16 bits": lambda v: v.astype(np.uint16) * 16,
    "12 of 16 bits with noise": lambda v: v.astype(np.uint16) * 16 + RNG.integers(0, 16, v.shape),
    "10 of 16 bits": lambda v: v.astype(np.uint16) * 4,
    "14 of 16 bits": lambda v: v.astype(np.uint16) * 64,
    "8 of 16 bits": lambda v: v.astype(np.uint16),
    "fractions": lambda v: (v / 255).astype(np.float32),
    "floating point": lambda v: v.astype(np.float32),
    "32 bits": lambda v: v.astype(np.uint32) * 16843009,
}


@pytest.mark.parametrize("hot", [0, 1, 3])
@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_reads_the_same_from_eight_bits_and_from_more(
    picture: str, kept: str, hot: int
) -> None:
    eight = PICTURES[picture]
    numbers = KEPT[kept](eight)
    numbers = numbers.astype(np.uint16) if numbers.dtype == np.int64 else numbers
    most = np.iinfo(numbers.dtype).max if numbers.dtype.kind == "u" else 1e6
    numbers.reshape(-1)[5 : 5 + hot] = most
    levels = to_levels(numbers, range_of(numbers)).astype(int)
    apart = np.abs(levels - eight).reshape(-1)
    assert np.delete(apart, range(5, 5 + hot)).max() <= 1
    assert (levels.reshape(-1)[5 : 5 + hot] == 255).all()


def test_numbers_of_no_range_are_stretched_and_that_is_said() -> None:
    numbers = (PICTURES["slice"].astype(np.float64) * 4.7 - 300).astype(np.int32)
    given = range_of(numbers)
    assert given.note == (
        "Its values were stretched from -300 to 898, for the file states no range."
    )
    levels = to_levels(numbers, given)
    assert (levels.min(), levels.max()) == (0, 255)


def test_what_the_file_states_counts_unless_it_is_not_so() -> None:
    numbers = np.linspace(100, 900, 400).astype(np.uint16).reshape(20, 20)
    assert range_of(numbers, stated=(0, 1000)).high == 1000
    wrong = range_of(numbers, stated=(0, 500))
    assert "0 to 500, does not hold its values of 100 to 900" in wrong.note
    assert wrong.high == 1023


def test_what_is_no_number_is_black_and_one_value_all_over_is_no_picture() -> None:
    numbers = np.linspace(-2, 3, 400).astype(np.float32).reshape(20, 20)
    numbers[0, 0] = np.nan
    assert to_levels(numbers, range_of(numbers))[0, 0] == 0
    assert not to_levels(np.full((9, 9), 7.0), range_of(np.full((9, 9), 7.0))).any()


def test_white_as_zero_is_turned_and_colours_keep_the_range_of_their_camera() -> None:
    numbers = np.linspace(0, 4095, 400).astype(np.uint16).reshape(20, 20)
    turned = to_levels(numbers, range_of(numbers), white_is_low=True)
    assert np.array_equal(turned, 255 - to_levels(numbers, range_of(numbers)))
    dark = numbers // 2
    assert range_of(dark).high == 2047
    assert range_of(dark, colour=True).high == 4095
