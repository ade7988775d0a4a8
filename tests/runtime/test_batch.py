"""Many samples come back in their order, and few of them wait in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from firstread.runtime import read_all


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_answers_keep_the_order(threads: int) -> None:
    assert list(read_all(range(100), lambda n: n + 1, threads=threads)) == list(range(1, 101))


def test_no_more_samples_are_taken_than_can_be_read_soon() -> None:
    taken = 0

    def samples() -> Iterator[int]:
        nonlocal taken
        for n in range(10_000):
            taken = n + 1
            yield n

    answers = read_all(samples(), lambda n: n, threads=2)
    assert next(answers) == 0
    assert taken <= 4
    answers.close()  # type: ignore[attr-defined]


def test_an_error_comes_out_at_its_turn() -> None:
    answers = read_all([1, 0, 2], lambda n: 1 / n, threads=2)
    assert next(answers) == 1
    with pytest.raises(ZeroDivisionError):
        next(answers)
